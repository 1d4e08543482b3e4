"""The manifests for Kubernetes: what they say fits together, and runs as they say without a cluster."""

import contextlib
import re
import unittest

import container_host as host
import yaml
from linux_machine import ROOT, run, wait_for

FOLDER = ROOT / "deploy/kubernetes"
KINDS = ["ConfigMap", "DaemonSet", "PodMonitor", "Service"]
# Of an arbitrary namespace; kubelet writes the like of it into each pod's resolv.conf.
DOMAIN = "monitoring.svc.cluster.local"
RESOLVER = f"search {DOMAIN} svc.cluster.local cluster.local\noptions ndots:5\n"


def load():
    """All objects by their kinds, of which there is one each."""
    objects = [one for path in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
    assert sorted(one["kind"] for one in objects) == KINDS
    return {one["kind"]: one for one in objects}


OBJECTS = load()
POD = OBJECTS["DaemonSet"]["spec"]["template"]
(EXPORTER,) = POD["spec"]["containers"]
NAME = OBJECTS["Service"]["metadata"]["name"]


class ManifestTest(unittest.TestCase):
    def test_selectors_choose_the_pods(self):
        labels = POD["metadata"]["labels"]
        for selector in (
            OBJECTS["DaemonSet"]["spec"]["selector"]["matchLabels"],
            OBJECTS["Service"]["spec"]["selector"],
            OBJECTS["PodMonitor"]["spec"]["selector"]["matchLabels"],
        ):
            self.assertTrue(selector)
            self.assertEqual(selector, {name: labels.get(name) for name in selector})
        self.assertIn(OBJECTS["PodMonitor"]["spec"]["jobLabel"], labels)

    def test_versions_of_the_interfaces(self):
        self.assertEqual(
            {kind: one["apiVersion"] for kind, one in OBJECTS.items()},
            {
                "ConfigMap": "v1",
                "DaemonSet": "apps/v1",
                "PodMonitor": "monitoring.coreos.com/v1",
                "Service": "v1",
            },
        )

    def test_the_image_is_of_this_version(self):
        tag = EXPORTER["image"].rpartition("/")[2]
        version = re.search(r"^ *VERSION ([\d.]+)$", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
        self.assertEqual(tag, f"echo_exporter:{version}")

    def test_ports_are_the_one_that_the_exporter_has(self):
        (port,) = EXPORTER["ports"]
        self.assertEqual(port["containerPort"], 10115)
        self.assertIn('listen_addresses = [":10115"]', config_text())
        (service,) = OBJECTS["Service"]["spec"]["ports"]
        (monitor,) = OBJECTS["PodMonitor"]["spec"]["podMetricsEndpoints"]
        for name in (service["targetPort"], monitor["port"], *(probe["port"] for probe in probes().values())):
            self.assertEqual(name, port["name"])

    def test_the_mesh_is_that_of_the_service(self):
        self.assertEqual(OBJECTS["Service"]["spec"]["clusterIP"], "None")
        self.assertTrue(OBJECTS["Service"]["spec"]["publishNotReadyAddresses"])
        self.assertIn(f'destinations = ["{NAME}"]', config_text())

    def test_the_pod_needs_no_right(self):
        # As the standard "restricted" of Kubernetes demands, and a root that it cannot write to.
        pod, container = POD["spec"]["securityContext"], EXPORTER["securityContext"]
        self.assertTrue(pod["runAsNonRoot"])
        self.assertEqual(pod["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(container["capabilities"], {"drop": ["ALL"]})
        self.assertIs(container["allowPrivilegeEscalation"], False)
        self.assertIs(container["readOnlyRootFilesystem"], True)
        for name in ("hostNetwork", "hostPID", "hostIPC", "automountServiceAccountToken"):
            self.assertFalse(POD["spec"].get(name, False), name)
        # The only one of the settings that are regarded as safe.
        self.assertEqual([one["name"] for one in pod["sysctls"]], ["net.ipv4.ping_group_range"])
        self.assertEqual(f"{pod['runAsUser']}:{pod['runAsGroup']}", "65534:65534")

    def test_volumes_are_those_that_are_mounted(self):
        (volume,) = POD["spec"]["volumes"]
        (mount,) = EXPORTER["volumeMounts"]
        self.assertEqual(mount["name"], volume["name"])
        self.assertNotIn("subPath", mount)
        self.assertEqual(volume["configMap"]["name"], OBJECTS["ConfigMap"]["metadata"]["name"])
        (file,) = OBJECTS["ConfigMap"]["data"]
        self.assertIn(f"--config.file={mount['mountPath']}/{file}", EXPORTER["args"])


def config_text():
    (text,) = OBJECTS["ConfigMap"]["data"].values()
    return text


def probes():
    return {name: EXPORTER[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")}


def pod(number, arguments=()):
    """A container that runs as the manifests say."""
    (mount,) = EXPORTER["volumeMounts"]
    return host.Container(
        number,
        [*EXPORTER["args"], *arguments],
        {mount["mountPath"]: OBJECTS["ConfigMap"]["data"]},
        POD["spec"]["securityContext"]["sysctls"][0]["value"],
        RESOLVER,
    )


def replies(container):
    """Maps addresses of the mesh to how many replies came from them."""
    found = container.series("icmp_echo_outcomes_total").items()
    return {
        re.search(r'\baddress="([^"]*)"', labels)[1]: value
        for labels, value in found
        if f'destination="{NAME}"' in labels and 'outcome="reply"' in labels and "address=" in labels
    }


def wait_for_mesh(container, others):
    """Waits until it gets replies from these and has no pair with any other address."""

    def look():
        seen = replies(container)
        return set(seen) == {one.address for one in others} and min(seen.values()) >= 2

    wait_for(f"replies of {len(others)} others at {container.address}", look)


class RunTest(unittest.TestCase):
    def test_configuration_is_good(self):
        path = host.WORK / "mesh.toml"
        path.write_text(config_text())
        program = host.ROOT_FOLDER / "bin/echo_exporter"
        output = run(program, "--config.check", f"--config.file={path}")[1]
        self.assertIn(": OK (1 group, ", output)

    def test_pods_probe_each_other_and_not_themselves(self):
        with contextlib.ExitStack() as stack:
            names = {f"{NAME}.{DOMAIN}": "10.115.0.1 10.115.0.2 10.115.0.3"}
            stack.enter_context(host.name_server(names))
            pods = [stack.enter_context(pod(number)) for number in (1, 2, 3)]
            for one in pods:
                for probe in probes().values():
                    one.wait_for_status(probe["path"])
            for one in pods:
                wait_for_mesh(one, [other for other in pods if other is not one])
                self.assertEqual(one.stop(), 0, one.log())

    def test_a_changed_configmap_is_read(self):
        with (
            host.name_server({f"{NAME}.{DOMAIN}": "10.115.0.1"}),
            pod(1, ["--config.auto-reload-interval=1s"]) as one,
        ):
            one.wait_for_status("/-/ready")
            (mount,) = EXPORTER["volumeMounts"]
            (file,) = OBJECTS["ConfigMap"]["data"]
            text = config_text() + '[[group]]\nname = "new"\ndestinations = ["127.0.0.1"]\n'
            one.replace_files(mount["mountPath"], {file: text})
            wait_for("a pair of the new group", lambda: 'group="new"' in one.get()[1])
