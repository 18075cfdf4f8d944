namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// The third judge: a world that Linux can be as well, by its bridge, routing and neighbour table, is given the same
/// packets as Genkan. <c>GENKAN_PROPERTY_SECONDS</c> makes it a long run, over new worlds from
/// <c>GENKAN_PROPERTY_SEED</c> on; with a seed alone it repeats that one world.
/// </summary>
public sealed class LinuxForwarding(ITestOutputHelper output)
{
    private const int WorldCount = 5;
    private const int PacketCount = 1_200;

    [Fact]
    public void What_Linux_does_with_a_packet_Genkan_does_too_when_the_agent_decides_it_and_when_the_programs_do() =>
        Judges.OnOneCpu(() =>
        {
            using JudgedRun run = new(Difference.All, WorldCount, nameof(LinuxForwarding), output);
            run.Over(seed => Judge(run, seed));
            run.DemandAllMet(deliveredMin: WorldCount * PacketCount / 2);
        });

    private static void Judge(JudgedRun run, int seed)
    {
        JudgedWorld world = new JudgedWorldMaker(seed).Make();
        if (!run.Judges.TryBecome(world)) return;
        JudgedPacketMaker maker = new(world, seed);
        for (int i = 0; i < PacketCount; i++)
        {
            JudgedPacket packet = maker.Next();
            for (int turn = 0; turn < 2; turn++)
            {
                // Of a world that showed a disagreement no more is asked: what is sent to shrink it spends budgets.
                if (!run.Take(seed, i, run.Judges.Judge(packet, turn))) return;
            }
        }
    }
}
