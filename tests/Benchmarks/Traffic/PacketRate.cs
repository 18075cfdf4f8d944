namespace Genkan.Benchmarks.Traffic;

/// <summary>How many frames one core carries, which generates, forwards and sinks them.</summary>
internal sealed class PacketRate : ISide
{
    private readonly ITestbed _bed;
    private readonly Sink _sink;
    private readonly FrameGenerator _generator;
    private readonly FrameGenerator? _answers;

    /// <summary>Sets up the traffic, and has every flow established.</summary>
    /// <param name="bed">Between whom; disposed of with this.</param>
    /// <param name="flowCount">Flows that the generator sends by turns.</param>
    /// <param name="framesInRow">Frames of one flow before the next one's.</param>
    internal PacketRate(ITestbed bed, int flowCount = 1, int framesInRow = UdpBursts.FrameCountUsual)
    {
        _bed = bed;
        _sink = new Sink(bed.Lab, bed.Receiver, "eth0");
        _generator = MakeGenerator(bed.Sender, bed.Bursts, flowCount, framesInRow);
        FrameGenerator single = MakeGenerator(bed.Sender, bed.Bursts, flowCount, framesInRow: 1);
        single.Establish(_sink);
        if (bed.Answers is not { } answers) return;
        _answers = MakeGenerator(bed.Receiver, answers, flowCount, framesInRow: 1);
        _answers.SendOnce();
    }

    /// <summary>Millions of frames that arrive for each second of the core's time.</summary>
    public double[] Measure()
    {
        _answers?.SendOnce(); // once a run: connections without an answer would end before the others
        return [_generator.Measure(_sink)];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _sink.Dispose();
        _bed.Dispose();
    }

    private FrameGenerator MakeGenerator(string role, UdpBursts bursts, int flowCount, int framesInRow) =>
        new(_bed.Lab, role, "eth0", bursts with { FrameCount = framesInRow }, flowCount);
}
