#!/bin/sh
# shellcheck disable=SC2154  # the client sets the variables
# What busybox' udhcpc runs at each event: $1 is the event, the lease stands in the environment under option names.
# $LEASE_FILE is for the report: what the VM was told.
set -eu

configure() {
	ip address replace "$ip/$mask" dev "$interface"
	[ -z "${mtu:-}" ] || ip link set "$interface" mtu "$mtu"
	# RFC 3442: classless routes, when there, take the place of the router option.
	if [ -n "${staticroutes:-}" ]; then
		# shellcheck disable=SC2086  # destination gateway destination gateway ...
		set -- $staticroutes
		while [ $# -ge 2 ]; do
			ip route replace "$1" via "$2" dev "$interface"
			shift 2
		done
	elif [ -n "${router:-}" ]; then
		ip route replace default via "${router%% *}" dev "$interface"
	fi
	{
		[ -z "${domain:-}" ] || echo "search $domain"
		for server in ${dns:-}; do echo "nameserver $server"; done
	} >/etc/resolv.conf
	echo "$ip ${serverid:-?} ${lease:-?} ${mtu:-?}" >"$LEASE_FILE"
}

case $1 in
deconfig) ip link set "$interface" up && ip -4 address flush dev "$interface" ;;
bound | renew) configure ;;
esac
