using System;
using System.Collections.Generic;

namespace Genkan.Control.Validation;

/// <summary>Finds the name that was probably meant.</summary>
public static class Suggestion
{
    // Longer texts are not typing errors, and the table below grows with the square.
    private const int LengthMax = 64;

    /// <summary>The nearest of some names.</summary>
    /// <param name="written">What was written.</param>
    /// <param name="known">What could have been meant.</param>
    /// <returns>A name at most a third of whose letters differ, or null.</returns>
    public static string? Nearest(string written, IEnumerable<string> known)
    {
        (string? Name, int Distance) best = (null, int.MaxValue);
        foreach (string name in known)
        {
            int allowed = Math.Max(1, Math.Max(written.Length, name.Length) / 3);
            int distance = Distance(written, name);
            if (distance <= allowed && distance < name.Length && distance < best.Distance) best = (name, distance);
        }

        return best.Name;
    }

    /// <summary>A hint: the nearest name, else the list of names.</summary>
    /// <param name="written">What was written.</param>
    /// <param name="known">What could have been meant.</param>
    /// <param name="noun">What they are, in the plural.</param>
    /// <returns>A sentence without a full stop.</returns>
    public static string Hint(string written, IReadOnlyCollection<string> known, string noun)
    {
        if (known.Count == 0) return $"there are no {noun}";
        string? nearest = Nearest(written, known);
        return nearest is not null ? $"did you mean '{nearest}'?" : $"{noun}: {Join(known)}";
    }

    // Letters inserted, removed, replaced, or swapped with their neighbour (optimal string alignment), without regard
    // to case.
    private static int Distance(string a, string b)
    {
        if (a.Length > LengthMax || b.Length > LengthMax) return int.MaxValue;
        int[,] table = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) table[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) table[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int change = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                int least = Math.Min(Math.Min(table[i - 1, j], table[i, j - 1]) + 1, table[i - 1, j - 1] + change);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                {
                    least = Math.Min(least, table[i - 2, j - 2] + 1);
                }

                table[i, j] = least;
            }
        }

        return table[a.Length, b.Length];
    }

    private static bool Same(char a, char b) =>
        char.ToLowerInvariant(a == '-' ? '_' : a) == char.ToLowerInvariant(b == '-' ? '_' : b);

    private static string Join(IReadOnlyCollection<string> names)
    {
        const int Shown = 8;
        List<string> shown = [];
        foreach (string name in names)
        {
            if (shown.Count == Shown) return $"{string.Join(", ", shown)} and {names.Count - Shown} more";
            shown.Add(name);
        }

        return string.Join(", ", shown);
    }
}
