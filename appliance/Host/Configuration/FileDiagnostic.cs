using Genkan.Control.Validation;

namespace Genkan.Host.Configuration;

/// <summary>A mistake with its place in the file.</summary>
internal sealed record FileDiagnostic(FilePosition Position, ConfigError Error);
