using System.CommandLine;

namespace Genkan.Host.Cli;

/// <summary><c>genkan completion bash|zsh</c>: a script that asks the program itself what may follow.</summary>
internal static class CompletionCommand
{
    // [suggest:N] is System.CommandLine's directive: print what may stand at character N of the line that follows.
    private const string Bash = """
        # bash completion for genkan; load it with: source <(genkan completion bash)
        _genkan() {
            local IFS=$'\n' word="${COMP_WORDS[COMP_CWORD]}"
            local found
            found=$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
            COMPREPLY=($(compgen -W "$found" -- "$word"))
        }
        complete -o default -F _genkan genkan
        """;

    private const string Zsh = """
        #compdef genkan
        # zsh completion for genkan; load it with: source <(genkan completion zsh)
        _genkan() {
            local -a words_found
            words_found=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            [[ -n "${words_found[1]}" ]] && compadd -- "${words_found[@]}" || _files
        }
        compdef _genkan genkan
        """;

    public static Command Create(CliContext context)
    {
        Argument<string> shell = new("SHELL") { Description = "bash or zsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh");
        Command command = new("completion", "Print a completion script: source <(genkan completion bash)") { shell };
        command.SetAction(result => context.Output.WriteLine(result.GetRequiredValue(shell) == "zsh" ? Zsh : Bash));
        return command;
    }
}
