using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Genkan.Lab.Tests.Agent;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>A row of the kernel's table of deliveries, <c>struct delivery</c>.</summary>
internal readonly record struct Delivery(uint Slot, byte Kind, byte Generation);

/// <summary>The deliveries of a host, which tunnel keys name.</summary>
internal static class Deliveries
{
    public const byte ToPort = 1;

    /// <summary>Reads all slots.</summary>
    public static async Task<List<Delivery>> ReadAsync(LabHost host)
    {
        string pin = Path.Combine(host.Pins, host.Name, "delivery");
        string json = await Command.MustAsync("bpftool", "-j", "map", "dump", "pinned", pin);
        using JsonDocument dump = JsonDocument.Parse(json);
        List<Delivery> found = [];
        foreach (JsonElement element in dump.RootElement.EnumerateArray())
        {
            byte[] value = Octets(element.GetProperty("value"));
            found.Add(new Delivery(BitConverter.ToUInt32(Octets(element.GetProperty("key"))), value[0], value[1]));
        }

        return found;
    }

    private static byte[] Octets(JsonElement array) =>
        [.. array.EnumerateArray().Select(static o => Convert.ToByte(o.GetString()!, 16))];
}
