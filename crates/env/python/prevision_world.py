"""Serves worlds to prevision over standard input and output: protocol 1, see the book's page "World protocol". Needs numpy alone."""
import json, math, os, struct, sys, traceback

import numpy as np

SINK = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what anybody prints goes to people, not into the protocol


def read(source):
    """The next message, header and arrays; None at the end of the input."""
    size = source.read(4)
    if len(size) < 4:
        return None
    header, arrays = json.loads(source.read(struct.unpack("<I", size)[0])), {}
    for entry in header.get("arrays", []):
        dtype = np.dtype(entry["dtype"]).newbyteorder("<")
        data = source.read(dtype.itemsize * math.prod(entry["shape"]))
        arrays[entry["name"]] = np.frombuffer(data, dtype).reshape(entry["shape"])
    return header, arrays


def write(header, arrays={}):
    """Sends a message; numbers become of the kind that the protocol has for their name."""
    kinds = {"frame": "|u1", "camera": "|u1", "success": "|b1", "terminated": "|b1", "truncated": "|b1"}
    arrays = {name: np.ascontiguousarray(value, kinds.get(name.split(".")[0], "<f4")) for name, value in arrays.items()}
    listed = [{"name": name, "dtype": value.dtype.name, "shape": value.shape} for name, value in arrays.items()]
    text = json.dumps(header | {"arrays": listed}).encode()
    SINK.write(b"".join([struct.pack("<I", len(text)), text, *(value.tobytes() for value in arrays.values())]))
    SINK.flush()


def ask(world, place, request, header, arrays):
    """What one world says to a request: arrays by name."""
    given = {name: values[place].copy() for name, values in arrays.items()}
    if request == "reset":
        factors = {name[7:]: value for name, value in given.items() if name.startswith("factor.")}
        return world.reset(int(given["seed"]), given.get("state"), factors)
    return {"step": lambda: world.step(given["action"]), "goal": lambda: world.goal(),
            "render": lambda: world.render(header["scale"], header["marks"])}[request]()


def serve(make):
    """Serves `make(options)`, one world for each row, until `close` or the end of the input. A world that computes for longer than
    the deadline calls `write({"alive": True})` now and then."""
    while message := read(sys.stdin.buffer):
        (header, arrays), request, reply, told = message, message[0]["request"], {"id": message[0]["id"]}, {}
        try:
            if request == "hello":
                assert 1 in header["protocols"], "this worker speaks protocol 1"
                worlds = [make(header["options"]) for _ in range(header["rows"])]
                serves = [name for name in ("goal", "render", "states") if hasattr(worlds[0], name)]
                reply |= {"protocol": 1, "serves": serves, **worlds[0].hello}
            elif request != "close":
                rows = [ask(worlds[row], place, request, header, arrays) for place, row in enumerate(header["rows"])]
                told = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        except Exception as error:
            traceback.print_exc()
            reply |= {"error": f"{type(error).__name__}: {error}"}
        write(reply, told)
