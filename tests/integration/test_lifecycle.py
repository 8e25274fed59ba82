"""Start, health, hand-over and end of the real server."""

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from support.server import BIN, ROOT, SLOW, Server, environment, run, sample_var_dir


class Load(threading.Thread):
    """A client that asks again and again, on one kept connection or on a new one each time."""

    def __init__(self, port, keeps_alive, target="/v1/instruments?limit=5"):
        super().__init__(daemon=True)
        self.port, self.keeps_alive, self.target = port, keeps_alive, target
        self.answered, self.refused, self.lost = 0, 0, []
        self.over = threading.Event()

    def connect(self):
        """A connection, or None when nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10 * SLOW)
        try:
            connection.connect()
        except ConnectionRefusedError:
            self.refused += 1
            time.sleep(0.01)
            return None
        return connection

    def run(self):
        connection = None
        while not self.over.is_set():
            connection = connection or self.connect()
            if connection is None:
                continue
            try:
                connection.request("GET", self.target)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.answered += 1
                else:
                    self.lost.append(answer.status)
                if not self.keeps_alive or answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
                connection = None
        if connection is not None:
            connection.close()


def start_load(port, n=4):
    threads = [Load(port, keeps_alive=i % 2 == 0) for i in range(n)]
    for thread in threads:
        thread.start()
    return threads


def end_load(threads):
    for thread in threads:
        thread.over.set()
    for thread in threads:
        thread.join(30 * SLOW)


class Lifecycle(unittest.TestCase):
    def test_sigterm_under_load_loses_no_request(self):
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            server = Server(var_dir=sample_var_dir()).start()
            load = start_load(server.port)
            server.wait_until(lambda: all(thread.answered > 10 for thread in load), "the load")
            process = server.process
            process.send_signal(signal_number)
            self.assertEqual(process.wait(20 * SLOW), 0)
            end_load(load)
            server.stop()
            for thread in load:
                self.assertGreater(thread.answered, 0)
                self.assertEqual(thread.lost, [])

    def test_a_second_server_takes_over_the_port(self):
        var_dir = sample_var_dir()
        first = Server(var_dir=var_dir, reuse_port="on").start()
        load = start_load(first.port)
        try:
            for _ in range(3):
                second = Server(var_dir=sample_var_dir(), port=first.port, reuse_port="on").start()
                time.sleep(0.2)
                first.stop()
                first = second
            time.sleep(0.2)
        finally:
            end_load(load)
            first.stop()
        for thread in load:
            self.assertGreater(thread.answered, 0)
            self.assertEqual((thread.lost, thread.refused), ([], 0))

    def test_readiness_goes_before_the_listener(self):
        with Server(var_dir=sample_var_dir(), drain_delay_ms=1500) as server:
            self.assertEqual(server.ops.get("/startupz").status, 200)
            server.process.send_signal(signal.SIGTERM)
            server.wait_until(lambda: server.ops.get("/readyz").status == 503, "not ready")
            self.assertEqual(server.ops.get("/livez").status, 200)
            self.assertEqual(server.get("/v1/marts").status, 200)

    def test_a_second_signal_skips_the_waiting(self):
        server = Server(var_dir=sample_var_dir(), drain_delay_ms=60000).start()
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.wait_until(lambda: server.ops.get("/readyz").status == 503, "not ready")
        server.stop()  # sends the second one
        self.assertLess(time.monotonic() - started, 10 * SLOW)

    def test_idle_and_half_sent_connections_do_not_hold_up_the_end(self):
        server = Server(var_dir=sample_var_dir(), drain_ms=2000).start()
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
        held[0].sendall(b"GET /v1/ma")
        held[1].sendall(b"POST /v1/backtests HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.2)
        started = time.monotonic()
        server.stop()
        self.assertLess(time.monotonic() - started, 8 * SLOW)
        for connection in held:
            connection.close()

    def test_the_log_tells_start_and_end(self):
        server = Server(var_dir=sample_var_dir()).start()
        server.stop()
        self.assertEqual(server.events("server_started")[0]["port"], server.port)
        self.assertEqual(server.events("server_drained")[0]["outcome"], "complete")

    def test_wrong_settings_are_refused_before_anything_starts(self):
        for settings, words in (({"port": 70000}, ("port", "70000", "0 to 65535")), ({"prot": 1}, ("CMMC_PROT", "CMMC_PORT")),
                                ({"log_level": "loud"}, ("log_level", "debug|info|warn|error")),
                                ({"bind": "localhost"}, ("localhost", "numeric"))):
            done = run("serve", var_dir=sample_var_dir(), **{"port": 0, "ops_port": 0, **settings})
            self.assertNotEqual(done.returncode, 0)
            for word in words:
                self.assertIn(word, done.stderr + done.stdout)

    def test_a_port_of_another_program_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run("serve", var_dir=sample_var_dir(), port=port, ops_port=0)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(port), done.stderr + done.stdout)

    def test_a_log_that_nobody_reads_does_not_stop_the_server(self):
        env = environment(sample_var_dir(), port=0, ops_port=0)
        process = subprocess.Popen([str(BIN), "serve"], env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        try:
            port = None
            while port is None:
                line = process.stderr.readline().decode()
                if '"server_started"' in line:
                    port = int(line.split('"port":')[1].split(",")[0])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10 * SLOW)
            for _ in range(2000):  # more than a pipe holds
                connection.request("GET", "/v1/marts", headers={"User-Agent": "x" * 200})
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(answer.status, 200)
            connection.close()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(20 * SLOW), 0)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stderr.close()

    def test_memory_and_descriptors_return_after_load(self):
        with Server(var_dir=sample_var_dir()) as server:
            load = start_load(server.port, n=8)
            server.wait_until(lambda: all(thread.answered > 100 for thread in load), "the load")
            end_load(load)
            folder = f"/proc/{server.process.pid}/fd"
            server.wait_until(lambda: len(os.listdir(folder)) < 60, "descriptors are given back")
            self.assertTrue(all(not thread.lost for thread in load))


if __name__ == "__main__":
    unittest.main()
