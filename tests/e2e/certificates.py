"""Certificates and password hashes, made with the openssl command line and the system's crypt."""

import ctypes
import os
import pathlib
import subprocess

import processes


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """Makes certificates in a folder of its own: NAME.crt and NAME.key."""

    def __init__(self, name):
        self.folder = processes.work_file(name)
        self.folder.mkdir()
        self._key_and_request("ca", name)
        openssl(
            *("x509", "-req", "-days", 2, "-in", self.folder / "ca.csr"),
            *("-signkey", self.folder / "ca.key", "-out", self.certificate),
            *("-extfile", self._extensions("basicConstraints=critical,CA:TRUE")),
        )

    @property
    def certificate(self):
        return self.folder / "ca.crt"

    def certify(self, name, alternative_names, days=2):
        """Returns the paths of the certificate and of its key."""
        self._key_and_request(name, name)
        certificate = self.folder / f"{name}.crt"
        openssl(
            *("x509", "-req", "-days", days, "-in", self.folder / f"{name}.csr"),
            *("-CA", self.certificate, "-CAkey", self.folder / "ca.key", "-CAcreateserial"),
            *("-out", certificate),
            *("-extfile", self._extensions(f"subjectAltName={alternative_names}")),
        )
        return certificate, self.folder / f"{name}.key"

    def _key_and_request(self, name, common_name):
        openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.csr"),
            *("-subj", f"/CN={common_name}"),
        )

    def _extensions(self, text):
        path = self.folder / "extensions"
        path.write_text(text + "\n")
        return path


def bcrypt(password, cost=8):
    """A hash of another maker than the exporter's."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt_gensalt.restype = library.crypt.restype = ctypes.c_char_p
    random = os.urandom(16)
    salt = library.crypt_gensalt(b"$2b$", ctypes.c_ulong(cost), random, len(random))
    return library.crypt(password.encode(), salt).decode()


def is_hash_of(password, hashed):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), hashed.encode()).decode() == hashed


def replace(path, source):
    """Puts a copy of `source` in the place of `path` in one step."""
    fresh = pathlib.Path(f"{path}.new")
    fresh.write_bytes(pathlib.Path(source).read_bytes())
    fresh.rename(path)
