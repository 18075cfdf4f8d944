#!/bin/sh
# shellcheck disable=SC2154  # the client sets the variables
# What dhcpcd runs at each event: $reason is the event. dhcpcd sets addresses, routes and MTU by itself, the name
# servers are this script's work; then it writes down for the report what the VM was told.
set -eu

case $reason in
BOUND | RENEW | REBIND | REBOOT)
	{
		[ -z "${new_domain_name:-}" ] || echo "search $new_domain_name"
		for server in ${new_domain_name_servers:-}; do echo "nameserver $server"; done
	} >/etc/resolv.conf
	echo "$new_ip_address ${new_dhcp_server_identifier:-?} ${new_dhcp_lease_time:-?} ${new_interface_mtu:-?}" \
		>"$LEASE_FILE"
	;;
esac
