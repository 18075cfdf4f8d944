using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge.Filter;

/// <summary>How far a TCP connection has come: connection tracking of Linux knows its states, and takes nothing
/// else.</summary>
internal enum ConversationPhase
{
    /// <summary>Nothing has got through, or the first packets one way.</summary>
    Opening,

    /// <summary>A SYN has got through both ways.</summary>
    Answered,

    /// <summary>Both ends know of it; anything may come.</summary>
    Open,
}

/// <summary>One end of a conversation, as it sees itself and the other: translations lie between.</summary>
/// <param name="Port">Where it sits.</param>
/// <param name="Own">Its address, as it sends.</param>
/// <param name="OwnPort">Its transport port, or the identifier of an echo.</param>
/// <param name="Other">Where it sends to.</param>
/// <param name="OtherPort">As <paramref name="OwnPort"/>, of the other end.</param>
internal sealed record ConversationEnd(
    JudgedPort Port, IpAddress Own, ushort OwnPort, IpAddress Other, ushort OtherPort);

/// <summary>Packets of two ends, either way.</summary>
internal sealed class Conversation(IpProtocol protocol, ConversationEnd opener)
{
    public IpProtocol Protocol { get; } = protocol;

    public ConversationEnd Opener { get; } = opener;

    /// <summary>The other end, once it has got a packet.</summary>
    public ConversationEnd? Answerer { get; set; }

    public ConversationPhase Phase { get; set; }

    /// <summary>The frame that the other end got last, which it may answer by an error.</summary>
    public byte[]? GotByAnswerer { get; set; }

    /// <summary>As <see cref="GotByAnswerer"/>, the other way.</summary>
    public byte[]? GotByOpener { get; set; }

    public bool IsIpv4 => Opener.Own.IsIpv4;
}
