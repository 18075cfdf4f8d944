using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>Whether flows come to something.</summary>
public sealed class FlowSamplesTests
{
    private const uint Budget = 7;

    private readonly TwoHosts _hosts = new();
    private readonly FlowSamples _samples = new(FlowLimits.Budgets);

    [Fact]
    public void A_budget_is_trusted_until_most_of_its_flows_were_refused_and_again_when_they_are_answered()
    {
        _samples.IsUseless(Budget).ShouldBeFalse();
        Repeat(20, () => _samples.Refused(Budget));
        _samples.IsUseless(Budget).ShouldBeTrue();
        _samples.IsUseless(Budget + 1).ShouldBeFalse();

        _hosts.Send("red/red-a", AToC());
        _hosts.Send("red/red-c", CToA());
        _hosts.Send("red/red-a", AToC(flags: TcpFlags.Ack));
        Repeat(5, () => _samples.Installed(Budget, Key(AToC()), _hosts.Now));
        Judge();
        _samples.IsUseless(Budget).ShouldBeFalse();
    }

    [Fact]
    public void A_budget_without_samples_is_taken_for_what_its_total_is_and_proves_itself_by_its_own()
    {
        const uint Total = 40;
        for (uint budget = Budget; budget < Budget + 4; budget++) _samples.Belongs(budget, Total);
        Repeat(20, () => _samples.Refused(Budget));

        _samples.IsUseless(Budget + 1).ShouldBeTrue("nothing is known of it but its neighbour");
        _samples.IsUseless(Budget + 9).ShouldBeFalse("another total's");
        _hosts.Send("red/red-a", AToC());
        _hosts.Send("red/red-c", CToA());
        _hosts.Send("red/red-a", AToC(flags: TcpFlags.Ack));
        Repeat(3, () => _samples.Installed(Budget + 1, Key(AToC()), _hosts.Now));
        Judge();

        _samples.IsUseless(Budget + 1).ShouldBeFalse();
        _samples.IsUseless(Budget).ShouldBeTrue();
    }

    [Fact]
    public void A_SYN_that_nobody_answers_is_useless_and_so_is_one_that_was_reset()
    {
        _hosts.Send("red/red-a", AToC(1));
        _hosts.Send("red/red-a", AToC(2));
        _hosts.Send("red/red-c", CToA(2, TcpFlags.Rst | TcpFlags.Ack));
        _hosts.Send("red/red-a", AToC(2, flags: TcpFlags.Ack));
        Repeat(20, () => _samples.Installed(Budget, Key(AToC(1)), _hosts.Now));
        Repeat(20, () => _samples.Installed(Budget + 1, Key(AToC(2)), _hosts.Now));

        Judge();

        (_samples.IsUseless(Budget), _samples.IsUseless(Budget + 1)).ShouldBe((true, true));
    }

    [Fact]
    public void Over_a_tunnel_an_acknowledgement_without_a_SYN_before_it_tells_of_nothing()
    {
        byte[] bare = Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 5000, 80, TcpFlags.Ack);
        for (int i = 0; i < 3; i++) _hosts.Send("red/red-a", bare);
        Repeat(20, () => _samples.Installed(Budget, Key(bare), _hosts.Now));
        Judge();

        _samples.IsUseless(Budget).ShouldBeTrue();
    }

    [Fact]
    public void Over_a_tunnel_the_originator_s_acknowledgement_tells_of_the_answer()
    {
        _hosts.Send("red/red-a", Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 5000, 80));
        FlowKey key = Key(Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 5000, 80));
        Repeat(20, () => _samples.Installed(Budget, key, _hosts.Now));
        Judge();
        _samples.IsUseless(Budget).ShouldBeTrue();

        _hosts.Send("red/red-a", Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 5000, 80, TcpFlags.Ack));
        Repeat(20, () => _samples.Installed(Budget, key, _hosts.Now));
        Judge();
        _samples.IsUseless(Budget).ShouldBeFalse();
    }

    [Fact]
    public void Samples_that_wait_are_bounded_and_an_answer_has_its_time()
    {
        Repeat(FlowSamples.WaitingMax + 10, () => _samples.Installed(Budget, Key(AToC()), _hosts.Now));
        _hosts.Now += FlowSamples.Wait - TimeSpan.FromMilliseconds(1);
        _samples.Judge(_hosts.Hv1.Tables, _hosts.Hv1.SlowPath.Topology);
        _samples.IsUseless(Budget).ShouldBeFalse();
    }

    private FlowKey Key(byte[] frame) => FlowKey.Of(_hosts.Hv1.Slot("red/red-a"), Frames.Decode(frame), isL3: false);

    private void Judge()
    {
        _hosts.Now += FlowSamples.Wait;
        _samples.Judge(_hosts.Hv1.Tables, _hosts.Hv1.SlowPath.Topology);
    }

    private static void Repeat(int samples, Action action)
    {
        for (int i = 0; i < samples * FlowSamples.Interval; i++) action();
    }
}
