using System.Collections.Immutable;
using Genkan.Control.Model;
using Genkan.Control.Plan;

namespace Genkan.Control.Validation;

/// <summary>Checks everything about a desired state that can be known without a machine to run it on.</summary>
public static class DesiredStateValidator
{
    /// <summary>Finds all mistakes, not just the first.</summary>
    /// <param name="state">Any state.</param>
    /// <returns>
    /// Empty if it may be applied; at most <see cref="ControlLimits.ErrorsMax"/> and one that counts the rest.
    /// </returns>
    public static ImmutableArray<ConfigError> Validate(DesiredState state) => Validate(new StatePlan(state));

    internal static ImmutableArray<ConfigError> Validate(StatePlan plan)
    {
        ErrorList errors = new();
        HostRules.Check(plan, errors);
        OutsideRules.Check(plan, errors);
        errors.Limit("tenants", plan.State.Tenants.Length, ControlLimits.TenantsMax, "tenants");
        errors.Names(
            plan.State.Tenants, static t => t.Name, i => $"tenants.{plan.State.Tenants[i].Name}", "tenants");
        foreach (TenantPlan tenant in plan.Tenants)
        {
            string path = $"tenants.{tenant.Tenant.Name}";
            NetworkRules.Check(tenant, path, errors);
            RouterRules.Check(tenant, path, errors);
            SecurityGroupRules.Check(tenant, path, errors);
            PortRules.Check(tenant, path, errors);
            PublicAddressRules.Check(tenant, path, errors);
        }

        BindingRules.Check(plan, errors);
        PublicAddressRules.CheckAcrossTenants(plan, errors);
        return errors.ToImmutable();
    }
}
