using System;
using System.IO;

namespace Genkan.Testing;

/// <summary>Compares a text with a file that is kept beside the test.</summary>
public static class Golden
{
    /// <summary>The variable that, set to 1, makes <see cref="Check"/> write the file in place of comparing.</summary>
    public const string UpdateVariable = "GENKAN_GOLDEN_UPDATE";

    /// <summary>Compares, with line ends made equal.</summary>
    /// <param name="path">The golden file's path in the source tree (from <c>[CallerFilePath]</c>, say).</param>
    /// <param name="actual">What the test made.</param>
    /// <returns>Null if equal, else a sentence with the first line that differs.</returns>
    public static string? Check(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            File.WriteAllText(path, actual);
            return null;
        }

        if (!File.Exists(path)) return $"{path} is missing; run once with {UpdateVariable}=1 and read the result.";
        string[] expected = File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n');
        string[] lines = actual.ReplaceLineEndings("\n").Split('\n');
        for (int i = 0; i < Math.Max(expected.Length, lines.Length); i++)
        {
            string want = i < expected.Length ? expected[i] : "(end)";
            string got = i < lines.Length ? lines[i] : "(end)";
            if (want != got) return $"{path}:{i + 1}: expected '{want}', got '{got}'.";
        }

        return null;
    }
}
