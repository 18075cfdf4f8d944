namespace Genkan.Host.Configuration;

/// <summary>Named maxima of a configuration file.</summary>
internal static class FileLimits
{
    /// <summary>Octets of a file.</summary>
    public const int SizeOctetsMax = 4 * 1024 * 1024;

    /// <summary>Lists and mappings inside each other.</summary>
    public const int DepthMax = 16;
}
