using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;

namespace Genkan.Benchmarks;

/// <summary>Runs the tools that build the peers' side: ip, nft, sysctl, iperf3.</summary>
internal static class Shell
{
    /// <summary>Runs a command to its end.</summary>
    /// <param name="command">Words parted by blanks; no quoting, no shell.</param>
    /// <param name="input">What it reads, or null.</param>
    /// <returns>What it wrote.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message has its own words.</exception>
    internal static string Run(string command, string? input = null)
    {
        using Process process = Start(command, input is not null);
        if (input is not null)
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }

        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            string said = (errors.Result + output).Trim();
            throw new InvalidOperationException($"'{command}' failed ({process.ExitCode}): {said}");
        }

        return output;
    }

    /// <summary>Starts a command; the caller reads its output and ends it.</summary>
    /// <param name="command">Words parted by blanks.</param>
    /// <param name="withInput">Whether it reads from us.</param>
    /// <exception cref="InvalidOperationException">There is no such command.</exception>
    internal static Process Start(string command, bool withInput = false)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        ProcessStartInfo start = new(words[0], new List<string>(words[1..]))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = withInput,
        };
        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException($"'{words[0]}' did not start.");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"'{words[0]}' is not installed, or cannot be run: {e.Message}", e);
        }
    }

    /// <summary>Whether a tool is on the path.</summary>
    internal static bool Has(string tool)
    {
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            if (File.Exists(Path.Combine(directory, tool))) return true;
        }

        return false;
    }
}
