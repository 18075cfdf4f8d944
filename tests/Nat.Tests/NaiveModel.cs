using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Genkan.Wire;
using Shouldly;
using static Genkan.Nat.Tests.Tables;

namespace Genkan.Nat.Tests;

/// <summary>The table against a list that anyone can read: the same answers to arbitrary histories.</summary>
public sealed class NaiveModel
{
    private static readonly IpProtocol[] Protocols = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Icmp];

    private static readonly NatBlock[][] BlockSets =
    [
        [new NatBlock(PublicA, 64, 71), new NatBlock(PublicB, 64, 71)],
        [new NatBlock(PublicA, 68, 75)],
        [],
        [new NatBlock(PublicB, 60, 68), new NatBlock(PublicB, 66, 80), new NatBlock(PublicA, 9, 8)],
    ];

    [Fact]
    public void The_table_answers_as_the_model_does() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(400).WithEndSize(300),
            Prop.ForAll(ArbMap.Default.ArbFor<(byte Kind, byte Host, byte Port, byte Extra)[]>(), Agree));

    private static void Agree((byte Kind, byte Host, byte Port, byte Extra)[] history)
    {
        NatLimits limits = NatLimits.Default with { BindingsMax = 20, BindingsPerSourceMax = 5 };
        NatTable table = Make(limits, BlockSets[0]);
        Model model = new(limits) { Blocks = BlockSets[0] };
        TimeSpan now = TimeSpan.Zero;

        foreach ((byte kind, byte host, byte port, byte extra) in history)
        {
            NatRequest request = Of(Protocols[extra % 3], host % 8, port % 6);
            NatBinding any = model.Bindings.Count > 0 ? model.Bindings[host % model.Bindings.Count].Binding : default;
            switch (kind % 10)
            {
                case < 4:
                    bool bound = table.TryBind(request, now, out NatBinding binding, out NatRefusal refusal);
                    model.Bind(request, now, binding, refusal);
                    bound.ShouldBe(refusal == NatRefusal.None);
                    break;
                case 4:
                    table.Retain(any).ShouldBe(model.Retain(any));
                    break;
                case 5:
                    table.Release(any, now).ShouldBe(model.Release(any, now));
                    break;
                case 6:
                    now += TimeSpan.FromSeconds(extra);
                    table.Expire(now, int.MaxValue).ShouldBe(model.Expire(now));
                    break;
                case 7 when extra < 64:
                    model.Blocks = BlockSets[extra % BlockSets.Length];
                    table.SetBlocks(Zone, model.Blocks).ShouldBe(model.Revoke(), ignoreOrder: true);
                    break;
                case 8:
                    table.Touch(any, now).ShouldBe(model.Touch(any, now));
                    break;
                case 9:
                    ushort publicPort = (ushort)(60 + (extra % 20));
                    NatBinding found = new(
                        Zone, request.Protocol, request.Source, request.SourcePort, PublicA, publicPort);
                    table.TryRestore(found, now, out NatRefusal why);
                    why.ShouldBe(model.Restore(found, now));
                    break;
            }

            model.ShouldMatch(table);
        }
    }

    private sealed class Item(NatBinding binding)
    {
        public NatBinding Binding { get; } = binding;

        public int References { get; set; }

        public TimeSpan Deadline { get; set; }
    }

    private sealed class Model(NatLimits limits)
    {
        public List<Item> Bindings { get; } = [];

        public NatBlock[] Blocks { get; set; } = [];

        public void Bind(NatRequest request, TimeSpan now, NatBinding given, NatRefusal refusal)
        {
            Item? known = Bindings.Find(i => i.Binding.Protocol == request.Protocol
                && i.Binding.Source == request.Source && i.Binding.SourcePort == request.SourcePort);
            if (known is not null)
            {
                (given, refusal).ShouldBe((known.Binding, NatRefusal.None));
                Touch(given, now);
                return;
            }

            List<Item> own = Bindings.FindAll(i => i.Binding.Source == request.Source);
            HashSet<(IpAddress, int)> free = [.. Owned().Where(p => !IsTaken(request.Protocol, p))];
            if (own.Count > 0) free.RemoveWhere(p => p.Item1 != own[0].Binding.PublicAddress);
            refusal.ShouldBe(Blocks.Length == 0 ? NatRefusal.PortsExhausted
                : Bindings.Count == limits.BindingsMax ? NatRefusal.TableFull
                : own.Count >= limits.BindingsPerSourceMax ? NatRefusal.QuotaReached
                : free.Count == 0 ? NatRefusal.PortsExhausted
                : NatRefusal.None);
            if (refusal != NatRefusal.None) return;

            free.ShouldContain((given.PublicAddress, given.PublicPort));
            given.ShouldBe(new NatBinding(
                Zone, request.Protocol, request.Source, request.SourcePort, given.PublicAddress, given.PublicPort));
            Bindings.Add(new Item(given));
            Touch(given, now);
        }

        public NatRefusal Restore(NatBinding b, TimeSpan now)
        {
            if (Bindings.Exists(i => i.Binding == b)) return NatRefusal.None;
            if (Bindings.Count == limits.BindingsMax) return NatRefusal.TableFull;
            if (!Owned().Contains((b.PublicAddress, b.PublicPort))) return NatRefusal.NotOwned;
            if (IsTaken(b.Protocol, (b.PublicAddress, b.PublicPort))
                || Bindings.Exists(i => i.Binding.Source == b.Source && i.Binding.PublicAddress != b.PublicAddress)
                || Bindings.Exists(i => i.Binding.Protocol == b.Protocol
                && i.Binding.Source == b.Source && i.Binding.SourcePort == b.SourcePort))
            {
                return NatRefusal.Conflict;
            }

            Bindings.Add(new Item(b));
            Touch(b, now);
            return NatRefusal.None;
        }

        public bool Retain(NatBinding b)
        {
            Item? item = Find(b);
            if (item is null) return false;
            item.References++;
            return true;
        }

        public bool Release(NatBinding b, TimeSpan now)
        {
            Item? item = Find(b);
            if (item is null || item.References == 0) return false;
            if (--item.References == 0) item.Deadline = now + NatTimeouts.Default.HoldDown;
            return true;
        }

        public bool Touch(NatBinding b, TimeSpan now)
        {
            Item? item = Find(b);
            if (item is { References: 0 })
                item.Deadline = now + NatTimeouts.Default.Idle(b.Protocol, established: false);
            return item is not null;
        }

        public int Expire(TimeSpan now) => Bindings.RemoveAll(i => i.References == 0 && i.Deadline <= now);

        public List<NatBinding> Revoke()
        {
            HashSet<(IpAddress, int)> owned = [.. Owned()];
            List<NatBinding> gone =
                [.. Bindings.Select(i => i.Binding).Where(b => !owned.Contains((b.PublicAddress, b.PublicPort)))];
            Bindings.RemoveAll(i => gone.Contains(i.Binding));
            return gone;
        }

        public void ShouldMatch(NatTable table)
        {
            table.Count.ShouldBe(Bindings.Count);
            foreach (Item item in Bindings)
            {
                NatBinding b = item.Binding;
                table.TryFindReturn(Zone, b.Protocol, b.PublicAddress, b.PublicPort, out NatBinding back)
                    .ShouldBeTrue();
                back.ShouldBe(b);
                NatRequest request = new(Zone, b.Protocol, b.Source, b.SourcePort, Server, 1);
                table.TryFind(request, out NatBinding forth).ShouldBeTrue();
                forth.ShouldBe(b);
            }
        }

        private Item? Find(NatBinding b) => Bindings.Find(i => i.Binding == b);

        private IEnumerable<(IpAddress, int)> Owned() =>
            Blocks.SelectMany(b => Enumerable.Range(b.FirstPort, Math.Max(0, b.LastPort - b.FirstPort + 1))
                .Select(port => (b.Address, port)));

        private bool IsTaken(IpProtocol protocol, (IpAddress, int) at) => Bindings.Exists(
            i => i.Binding.Protocol == protocol && (i.Binding.PublicAddress, i.Binding.PublicPort) == at);
    }
}
