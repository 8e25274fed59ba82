"""Copies of the sample data set with changes, and small data sets of our own, as `cmmc load` takes them."""

import csv
import gzip
import hashlib
import io
import json
import pathlib
import shutil

from support.server import SAMPLE, scratch_folder


class Dataset:
    """A folder with a manifest.json and the CSV files it names. Changes are written by save()."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    @classmethod
    def copy_of_sample(cls):
        folder = scratch_folder("dataset")
        shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
        return cls(folder)

    @classmethod
    def copy_of_mart(cls, path):
        """Of the sample's mart that the file at path is a part of, and of nothing else: a load leaves the others as they are."""
        dataset = cls(scratch_folder("dataset"))
        manifest = cls(SAMPLE).manifest
        (mart,) = (file["mart"] for file in manifest["files"] if file["path"] == path)
        manifest["files"] = [file for file in manifest["files"] if file["mart"] == mart]
        for file in manifest["files"]:
            shutil.copy(SAMPLE / file["path"], dataset.folder)
        dataset.save(manifest)
        return dataset

    @classmethod
    def of(cls, **marts):
        """Dataset.of(mart_instrument=[{...}, ...]): one file a mart, columns in the order of the first row."""
        dataset = cls(scratch_folder("dataset"))
        files = []
        for mart, rows in marts.items():
            path = mart.removeprefix("mart_") + ".csv"
            dataset.write(path, rows)
            files.append({"path": path, "mart": mart})
        dataset.save({"format": 1, "name": "test", "files": files})
        return dataset

    @property
    def manifest(self):
        return json.loads((self.folder / "manifest.json").read_text())

    def text(self, path):
        data = (self.folder / path).read_bytes()
        return (gzip.decompress(data) if path.endswith(".gz") else data).decode("utf-8")

    def set_text(self, path, text):
        data = text.encode("utf-8") if isinstance(text, str) else text
        (self.folder / path).write_bytes(gzip.compress(data, 1) if path.endswith(".gz") else data)

    def read(self, path):
        return list(csv.DictReader(io.StringIO(self.text(path), newline="")))

    def write(self, path, rows):
        """None is an empty field (NULL); an empty string is written as "" and stays one."""
        out = io.StringIO(newline="")
        names = list(rows[0])
        out.write(",".join(names) + "\n")
        for row in rows:
            out.write(",".join(_field(row.get(name)) for name in names) + "\n")
        self.set_text(path, out.getvalue())

    def change(self, path, edit):
        """Replaces the text of a file by edit(text) and brings the manifest up to date."""
        self.set_text(path, edit(self.text(path)))
        self.save()

    def save(self, manifest=None):
        """Writes the manifest with the row counts and digests that the files have now."""
        manifest = manifest if manifest is not None else self.manifest
        for file in manifest["files"]:
            stored = (self.folder / file["path"]).read_bytes()
            file["sha256"] = hashlib.sha256(stored).hexdigest()
            file["rows"] = max(0, sum(1 for _ in csv.reader(io.StringIO(self.text(file["path"]), newline=""))) - 1)
        (self.folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
        return self


def _field(value):
    if value is None:
        return ""
    text = str(value)
    if text == "" or any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def sample_rows(path):
    """The rows of one of the sample's files as dictionaries of text."""
    return Dataset(SAMPLE).read(path)


def trades_of(result):
    """The trades of a backtest as one dictionary each."""
    columns = result["trades"]["columns"]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def rewrite(dataset, path, rows):
    dataset.write(path, [{name: value if value != "" else None for name, value in row.items()} for row in rows])


def small_sample():
    """Some months of a few instruments, with a delisting, a maturity and an end of summer time."""
    dataset = Dataset.copy_of_sample()
    empty = set()
    uids = {"stock:US.AAPL", "index:SPX", "bond:SIM.CORP5Y", "stock:KRX.900060", "coin:SIMBTCUSDT"}

    def cut(path, keep):
        rows = [row for row in dataset.read(path) if keep(row)]
        if rows:
            rewrite(dataset, path, rows)
        else:
            empty.add(path)

    for file in dataset.manifest["files"]:
        if "uid" in dataset.read(file["path"])[0]:
            cut(file["path"], lambda row: row["uid"] in uids and row.get("date", "2018-08-15") >= "2018-08-15" and row.get("date", "") <= "2018-12-14")
        elif file["mart"] in ("mart_calendar", "mart_fx_daily"):
            # Before Christmas, on which sources that are made up trade.
            cut(file["path"], lambda row: "2018-08-01" <= row["date"] <= "2018-12-20")
        elif file["mart"] == "mart_economic_indicator":
            cut(file["path"], lambda row: row["period"] >= "2018-01")
    manifest = dataset.manifest
    manifest["files"] = [file for file in manifest["files"] if file["path"] not in empty]
    return dataset.save(manifest)
