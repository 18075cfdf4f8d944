using System.Text;
using Genkan.Host.Agent;
using Genkan.Host.Tests.Cli;
using Shouldly;

namespace Genkan.Host.Tests.Agent;

public sealed class PrometheusTextTests
{
    [Fact]
    public void Connections_are_told_by_family_since_a_sum_hides_that_one_table_is_full()
    {
        StringBuilder text = new();

        PrometheusText.Connections(text, Reports.Status.Tables);

        text.ToString().ShouldBe("""
            # HELP genkan_connections Entries of a family's connection table, each direction counted.
            # TYPE genkan_connections gauge
            genkan_connections{family="ipv4"} 1200
            genkan_connections{family="ipv6"} 30
            # HELP genkan_connections_max Room in a family's connection table.
            # TYPE genkan_connections_max gauge
            genkan_connections_max{family="ipv4"} 131072
            genkan_connections_max{family="ipv6"} 65536

            """);
    }
}
