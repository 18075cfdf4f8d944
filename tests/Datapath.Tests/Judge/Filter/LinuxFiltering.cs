namespace Genkan.Datapath.Tests.Judge.Filter;

/// <summary>
/// The third judge of state: what nftables and connection tracking of Linux let pass and translate, Genkan does too.
/// <c>GENKAN_PROPERTY_SECONDS</c> and <c>GENKAN_PROPERTY_SEED</c> as for <see cref="LinuxForwarding"/>.
/// </summary>
public sealed class LinuxFiltering(ITestOutputHelper output)
{
    private const int WorldCount = 6;
    private const int PacketCount = 900;

    [Fact]
    public void What_nftables_lets_pass_Genkan_does_too_and_as_the_same_packet() => Judges.OnOneCpu(() =>
    {
        using JudgedRun run = new(FilterDifference.All, WorldCount, nameof(LinuxFiltering), output);
        run.Over(seed => Judge(run, seed));
        run.DemandAllMet(deliveredMin: WorldCount * PacketCount / 2);
    });

    private static void Judge(JudgedRun run, int seed)
    {
        JudgedWorld world = new FilterWorldMaker(seed).Make();
        if (!run.Judges.TryBecome(world)) return;
        FilterPacketMaker maker = new(world, seed);
        for (int i = 0; i < PacketCount; i++)
        {
            JudgedPacket packet = maker.Next();
            for (int turn = 0; turn < 2; turn++)
            {
                JudgedCase judged = run.Judges.Judge(packet, turn);
                if (!run.Take(seed, i, judged)) return;
                if (turn == 0) maker.Learn(judged);
            }
        }
    }
}
