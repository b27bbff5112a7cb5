"""A house of more than one machine: agents that join and report, and one of them with a real nginx that it drives."""

import shutil
import tempfile
from pathlib import Path

from house import House, toml
from peers import built
from test_hosts import Host, heard
from waiting import Child, free_ports, until

NGINX = "/usr/sbin/nginx"
ZONES = """
[zones.management]
tier = "control"
[zones.inference]
tier = "service"
[zones.red]
tier = "contained"
"""


class Edge(Host):
    """A host with an nginx: its agent tells it the routes `door` to a target of the house and `outside` to one in the cloud."""

    def __init__(self, house, name, scripted):
        super().__init__(house, name)
        # nginx's workers run as nobody, and look into a folder of the agent's.
        self.served = Path(tempfile.mkdtemp(prefix="pc-edge-"))
        self.served.chmod(0o755)
        (self.port,) = free_ports(1)
        self.overlay = self.served / "ours" / "overlay.conf"
        self.nginx = None
        self.write_nginx(scripted)
        targets = "".join(
            f'[[gateway.targets]]\nname = "{target}"\nclass = "{kind}"\nbase_url = "{scripted.base}"\n'
            f'[[gateway.routes]]\nname = "{route}"\nkind = "llm"\nmodels = ["*"]\ntargets = ["{target}"]\n'
            for route, target, kind in (("door", "lab", "local"), ("outside", "sky", "cloud"))
        )
        own = self.config.read_text().replace(
            'state = "state"\n', f'state = "state"\nkillswitch_keys = [{toml(str(house.data / "agent" / "order.pub"))}]\n'
        )
        key = house.secret(f"{name}.key", house.keys["agent"])
        self.config.write_text(
            f"""{own}
[[agent.drivers]]
kind = "nginx"
name = "edge"
overlay = "{self.overlay}"
program = "{NGINX}"
conf = "{self.served}/nginx.conf"
pid = "{self.served}/nginx.pid"
data = ["127.0.0.1:{self.port}"]
manage = true
{targets}
[[gateway.consumers]]
name = "agent"
key_file = {toml(key)}
routes = ["door", "outside"]
"""
        )

    def write_nginx(self, scripted):
        temporary = "".join(f"{what}_temp_path {self.served}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        ways = "".join(f"location /{route}/ {{ proxy_pass http://127.0.0.1:{scripted.port}/; }}\n" for route in ("door", "outside"))
        (self.served / "nginx.conf").write_text(
            f"daemon off;\npid {self.served}/nginx.pid;\nerror_log {self.served}/nginx.err;\nevents {{ worker_connections 64; }}\n"
            f"http {{\naccess_log off;\n{temporary}server {{\nlisten 127.0.0.1:{self.port};\ninclude {self.overlay};\n{ways}}}\n}}\n"
        )

    def start(self):
        super().start()
        until("the agent's file for nginx", self.overlay.exists, 20)
        self.nginx = Child([NGINX, "-c", self.served / "nginx.conf"], self.folder, "nginx", House.env())
        return self

    def stop(self):
        if self.nginx:
            self.nginx.stop()
        super().stop()
        shutil.rmtree(self.served, ignore_errors=True)


class Estate:
    """A house with hosts in three zones. It stops its agents; the house is taken down by whoever built it."""

    def __init__(self, house, scripted):
        self.house = house
        self.edge = Edge(house, "gw1", scripted)
        others = [(Host(house, "gpu1"), "inference", "inference"), (Host(house, "claw1"), "red", "red-zone")]
        self.hosts = [(self.edge, "inference", "gateway"), *others]
        house.more_agents = [f"127.0.0.1:{self.edge.orders}"]
        house.hosts_rules = ZONES
        house.write_config()

    def follows(self):
        """Whether the nginx does, as its host tells it."""
        [edge] = self.house.cli_json("hosts", "show", self.edge.name)["facts"]["driven"]
        return edge["follows"]

    def start(self):
        """Until each host has told of itself, and the nginx follows."""
        self.house.start()
        for host, zone, role in self.hosts:
            token = self.house.cli_json("hosts", "invite", host.name, "--zone", zone, "--role", role)["token"]
            joined = host.join(token)
            assert joined.returncode == 0, joined.stderr
            host.start()
        for host, _, _ in self.hosts:
            until(f"a report of {host.name}", lambda name=host.name: heard(self.house, name), 60)
        until("the nginx to follow", self.follows, 60)
        return self

    def stop(self):
        for host, _, _ in self.hosts:
            host.stop()
