namespace Genkan.Datapath.Tables;

/// <summary>Does what is to be done with a packet that the kernel sent up.</summary>
/// <param name="upcall">The packet, valid during the call.</param>
public delegate void UpcallHandler(in UpcallFrame upcall);
