using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using Genkan.Control.Model;

namespace Genkan.Control.Validation;

/// <summary>Errors found so far, with the questions that every rule asks.</summary>
internal sealed class ErrorList
{
    private readonly ImmutableArray<ConfigError>.Builder _errors = ImmutableArray.CreateBuilder<ConfigError>();
    private int _more;

    public ImmutableArray<ConfigError> ToImmutable()
    {
        if (_more == 0) return _errors.ToImmutable();
        return [.. _errors, new ConfigError("", $"{_more} more errors are not shown", "correct these first")];
    }

    public void Add(string path, string rule, string hint = "")
    {
        if (_errors.Count < ControlLimits.ErrorsMax) _errors.Add(new ConfigError(path, rule, hint));
        else _more++;
    }

    /// <summary>At most so many.</summary>
    public void Limit(string path, int count, int max, string noun)
    {
        if (count > max) Add(path, $"there are {count} {noun}; the limit is {max}");
    }

    /// <summary>A name that fits into paths, file names and the CLI.</summary>
    public void Name(string path, string name)
    {
        if (name.Length is 0 or > ControlLimits.NameLengthMax)
        {
            Add(path, $"a name has 1 to {ControlLimits.NameLengthMax} characters; this one has {name.Length}");
            return;
        }

        foreach (char c in name)
        {
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') continue;
            Add(path, $"name '{name}' holds the character '{c}'", "use letters, digits, '-', '_' and '.'");
            return;
        }

        if (name is "." or "..") Add(path, $"'{name}' is not a name", "use letters, digits, '-' and '_' with it");
    }

    /// <summary>Names of a list: each good, none twice.</summary>
    public void Names<T>(ImmutableArray<T> items, Func<T, string> name, Func<int, string> path, string noun)
    {
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < items.Length; i++)
        {
            string text = name(items[i]);
            Name(path(i), text);
            if (!seen.TryAdd(text, i)) Add(path(i), $"two {noun} are named '{text}'", "rename one of them");
        }
    }

    /// <summary>A reference to something by name.</summary>
    /// <returns>Whether it exists.</returns>
    public bool Reference(string path, string name, IReadOnlyCollection<string> known, string noun)
    {
        foreach (string candidate in known)
        {
            if (candidate == name) return true;
        }

        Add(path, $"there is no {noun} '{name}'", Suggestion.Hint(name, known, $"{noun}s"));
        return false;
    }

    /// <summary>The name of a network interface.</summary>
    public void Interface(string path, string name)
    {
        if (name.Length is 0 or > ControlLimits.InterfaceNameLengthMax)
        {
            Add(
                path,
                $"an interface name has 1 to {ControlLimits.InterfaceNameLengthMax} characters; '{name}' has "
                + $"{name.Length}");
            return;
        }

        foreach (char c in name)
        {
            if (c is > ' ' and < (char)127 and not '/' and not ':') continue;
            Add(path, $"interface name '{name}' holds a character that Linux refuses", "no blank, '/' or ':'");
            return;
        }

        if (name is "." or "..") Add(path, $"'{name}' is not an interface name");
    }

    /// <summary>An 802.1Q VID, 0 for untagged.</summary>
    public void Vlan(string path, ushort vlan)
    {
        if (vlan > 4094)
        {
            Add(path, $"VLAN {vlan} does not exist", "an 802.1Q VID is 1 to 4094; leave it out for untagged");
        }
    }
}
