using System;
using System.IO;

namespace Genkan.Lab.Tests;

/// <summary>Where the checkout and its programs are.</summary>
internal static class Repository
{
    /// <summary>The checkout.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The product, as the build of the tests made it.</summary>
    public static string Genkan { get; } = Path.Combine(Root, "appliance/Host/bin/Debug/net10.0/genkan");

    /// <summary>The benchmarks, likewise.</summary>
    public static string Benchmarks { get; } =
        Path.Combine(Root, "tests/Benchmarks/bin/Debug/net10.0/Genkan.Benchmarks");

    private static string FindRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "appliance.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory ?? throw new InvalidOperationException(
            "The tests run outside of the checkout that they test.");
    }
}
