namespace Genkan.Control.Validation;

/// <summary>One mistake of the operator. Nothing of a state with a mistake is applied.</summary>
/// <param name="Path">
/// Where, in the state's own words: hosts and tenants by name, the rest by index, e.g.
/// <c>tenants.red.ports[2].addresses[0]</c>; empty for the whole.
/// </param>
/// <param name="Rule">What is wrong, as a sentence without a full stop that names the thing and its value.</param>
/// <param name="Hint">What to do, or empty.</param>
public sealed record ConfigError(string Path, string Rule, string Hint);
