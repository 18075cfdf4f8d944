using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Host.Agent;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace Genkan.Host.Tests.Agent;

public sealed class FaultLogTests
{
    private readonly Messages _messages = new();

    [Fact]
    public void The_last_fault_that_is_logged_says_that_later_ones_are_only_counted()
    {
        FaultLog faults = new(_messages);
        for (int i = 0; i < 99; i++) faults.Packet(new InvalidOperationException(), [0xAB]);
        _messages.ShouldAllBe(static m => m.EndsWith("It began with AB.", StringComparison.Ordinal));

        for (int i = 0; i < 50; i++) faults.Housekeeping(new InvalidOperationException());

        faults.Count.ShouldBe(149UL);
        _messages.Skip(99).ShouldBe(
        [
            "Housekeeping failed and is tried again. If it repeats, restart the agent (traffic goes on) and report "
            + "this.",
            "100 faults are logged, later ones are only counted (genkan status).",
        ]);
    }

    [Fact]
    public void A_packet_may_be_the_last_one_too()
    {
        FaultLog faults = new(_messages);
        for (int i = 0; i < 200; i++) faults.Packet(new InvalidOperationException(), []);

        _messages.Count.ShouldBe(101);
        _messages[^1].ShouldStartWith("100 faults are logged");
    }

    private sealed class Messages : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Add(formatter(state, exception));
    }
}
