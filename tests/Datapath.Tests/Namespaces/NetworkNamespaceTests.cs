using System;
using System.Globalization;
using System.IO;
using Genkan.Datapath.Namespaces;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Namespaces;

public sealed class NetworkNamespaceTests
{
    private readonly string _name =
        string.Create(CultureInfo.InvariantCulture, $"genkan-test-{Environment.ProcessId}");

    public NetworkNamespaceTests() => Netns.DemandRoot();

    [Fact]
    public void A_named_namespace_is_found_by_its_name_until_it_is_deleted()
    {
        using NetworkNamespace made = NetworkNamespace.CreateNamed(_name);
        made.Run(() =>
        {
            using RouteSocket route = new();
            route.CreateLink("br0", "bridge");
        });
        Should.Throw<KernelException>(() => NetworkNamespace.CreateNamed(_name)).Error.ShouldBe(Errno.EEXIST);

        using (NetworkNamespace found = NetworkNamespace.OpenNamed(_name))
        {
            found.Run(() =>
            {
                using RouteSocket route = new();
                return route.FindLink("br0");
            }).ShouldNotBeNull();
        }

        NetworkNamespace.Delete(_name);
        File.Exists("/run/netns/" + _name).ShouldBeFalse();
        Should.Throw<KernelException>(() => NetworkNamespace.OpenNamed(_name)).Error.ShouldBe(Errno.ENOENT);
    }

    [Fact]
    public void A_fault_inside_comes_out_as_it_is()
    {
        using NetworkNamespace current = NetworkNamespace.Current();

        Should.Throw<InvalidOperationException>(() => current.Run(() => throw new InvalidOperationException("inside")))
            .Message.ShouldBe("inside");
    }
}
