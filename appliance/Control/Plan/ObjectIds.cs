using Genkan.Overlay.Topology;

namespace Genkan.Control.Plan;

/// <summary>The identity of each kind of object: singular noun of the model and full name.</summary>
public static class ObjectIds
{
    /// <summary>A host.</summary>
    /// <param name="name">Its name.</param>
    public static ObjectId Host(string name) => ObjectId.Of("host", name);

    /// <summary>The bridge of a network.</summary>
    /// <param name="fullName">Tenant, slash, name.</param>
    public static ObjectId Network(string fullName) => ObjectId.Of("network", fullName);

    /// <summary>A router.</summary>
    /// <param name="fullName">Tenant, slash, name.</param>
    public static ObjectId Router(string fullName) => ObjectId.Of("router", fullName);

    /// <summary>A port that something is plugged into.</summary>
    /// <param name="fullName">Tenant, slash, name.</param>
    public static ObjectId Port(string fullName) => ObjectId.Of("port", fullName);

    /// <summary>A router's port towards a network of its tenant.</summary>
    /// <param name="router">Full name of the router.</param>
    /// <param name="network">Name of the network.</param>
    public static ObjectId RouterPort(string router, string network) =>
        ObjectId.Of("router-port", $"{router}:{network}");

    /// <summary>The other end of <see cref="RouterPort"/>: the bridge's port.</summary>
    /// <param name="router">Full name of the router.</param>
    /// <param name="network">Name of the network.</param>
    public static ObjectId NetworkPort(string router, string network) =>
        ObjectId.Of("network-port", $"{router}:{network}");

    /// <summary>A router's external port.</summary>
    /// <param name="router">Full name of the router.</param>
    public static ObjectId ExternalPort(string router) => ObjectId.Of("external-port", router);

    /// <summary>The provider router's port towards a router.</summary>
    /// <param name="router">Full name of the router.</param>
    public static ObjectId ProviderPort(string router) => ObjectId.Of("provider-port", router);

    /// <summary>An external network.</summary>
    /// <param name="name">Its name.</param>
    public static ObjectId ExternalNetwork(string name) => ObjectId.Of("external-network", name);

    /// <summary>The provider router of an external network.</summary>
    /// <param name="externalNetwork">Name of the external network.</param>
    public static ObjectId ProviderRouter(string externalNetwork) => ObjectId.Of("provider-router", externalNetwork);

    /// <summary>An uplink: its port on the provider router.</summary>
    /// <param name="name">Its name.</param>
    public static ObjectId Uplink(string name) => ObjectId.Of("uplink", name);

    /// <summary>The chain of a security group in one direction.</summary>
    /// <param name="fullName">Tenant, slash, name.</param>
    /// <param name="direction"><c>ingress</c> or <c>egress</c>, seen from the VM.</param>
    public static ObjectId SecurityGroup(string fullName, string direction) =>
        ObjectId.Of("security-group", $"{fullName}/{direction}");

    /// <summary>The members of a security group.</summary>
    /// <param name="fullName">Tenant, slash, name.</param>
    public static ObjectId AddressGroup(string fullName) => ObjectId.Of("address-group", fullName);

    /// <summary>The chain of a port in one direction: jumps to its groups.</summary>
    /// <param name="fullName">Tenant, slash, name.</param>
    /// <param name="direction"><c>ingress</c> or <c>egress</c>, seen from the VM.</param>
    public static ObjectId PortChain(string fullName, string direction) =>
        ObjectId.Of("port-chain", $"{fullName}/{direction}");

    /// <summary>A floating IP.</summary>
    /// <param name="address">Its public address.</param>
    public static ObjectId FloatingIp(Wire.IpAddress address) => ObjectId.Of("floating-ip", address.ToString());

    /// <summary>The pool of a router's source NAT.</summary>
    /// <param name="router">Full name of the router.</param>
    public static ObjectId SourceNat(string router) => ObjectId.Of("source-nat", router);

    /// <summary>A port forward.</summary>
    /// <param name="name">Address, protocol and port.</param>
    public static ObjectId PortForward(string name) => ObjectId.Of("port-forward", name);
}
