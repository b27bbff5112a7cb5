//! The files that are installed.

/// A configuration to begin with.
pub(super) const CONFIG: &str = "\
# The agent of this host. Everything that can be said here: docs/hosts.md.
[agent]
listen = \"0.0.0.0:7413\"        # where the kill switch reaches it

# [uplink]
# at = [\"192.0.2.10:7414\"]     # instead of where the house said
# listen = \"0.0.0.0:7415\"      # where a host of a contained zone is called
";

/// The user it runs as, where there is no fence.
pub(super) const USERS: &str = "\
u node-agent - \"Portcullis node agent\" /var/lib/portcullis-agent
";

/// Runs before the network is up: what was cut is closed before anything can pass.
pub(super) const RESTORE_LATCH: &str = "\
[Unit]
Description=Portcullis: close what was cut when this host went down
DefaultDependencies=no
After=local-fs.target
Before=network-pre.target node-agent.service
Wants=network-pre.target
RequiresMountsFor=/var/lib/portcullis-agent /etc/portcullis

[Service]
Type=oneshot
RemainAfterExit=yes
# The one before first: a new agent that does not work must not leave open what was cut.
ExecStart=-/usr/local/bin/node-agent.former restore-latch
ExecStart=/usr/local/bin/node-agent restore-latch
# The firewall, and reading the state of the service's user: nothing else.
CapabilityBoundingSet=CAP_NET_ADMIN CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/var/lib/portcullis-agent
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
PrivateDevices=yes
PrivateIPC=yes
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077
MemoryMax=64M

[Install]
WantedBy=sysinit.target
";

/// The service. It may change the firewall and freeze what runs only where it has a fence.
pub(super) fn service(fence: bool) -> String {
    let own = if fence { FENCE } else { PLAIN };
    format!("{HEAD}{own}{TAIL}")
}

const HEAD: &str = "\
[Unit]
Description=Portcullis node agent: carries out the orders of the kill switch on this host, and reports
After=network.target
# What is cut must be cut before anything that it governs starts.
Before=docker.service podman.service
StartLimitIntervalSec=0

[Service]
Type=exec
Restart=always
RestartSec=1
TimeoutStopSec=5
# Ahead of a new agent the one before looks whether that works, and takes its place again if not. Only there it needs root.
ExecStartPre=-+/usr/local/bin/node-agent.former settle
ExecStart=/usr/local/bin/node-agent run
User=node-agent
Group=node-agent
UMask=0077
StateDirectory=portcullis-agent
StateDirectoryMode=0700
OOMScoreAdjust=-900
MemoryMax=64M
MemorySwapMax=0
CPUQuota=20%
TasksMax=32
LimitCORE=0
";

const PLAIN: &str = "\
CapabilityBoundingSet=
AmbientCapabilities=
PrivateDevices=yes
DevicePolicy=closed
ProtectControlGroups=yes
ProtectKernelModules=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
";

const FENCE: &str = "\
# The firewall of this host, and what runs in its control groups, whose files are root's: nothing else.
CapabilityBoundingSet=CAP_NET_ADMIN CAP_DAC_OVERRIDE
AmbientCapabilities=CAP_NET_ADMIN CAP_DAC_OVERRIDE
PrivateDevices=yes
DevicePolicy=closed
ProtectKernelModules=yes
ReadWritePaths=-/sys/fs/cgroup
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
";

const TAIL: &str = "\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelLogs=yes
PrivateTmp=yes
PrivateIPC=yes
PrivateMounts=yes
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @obsolete @mount @swap @reboot @module @raw-io @cpu-emulation @debug @clock @keyring @setuid
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
";
