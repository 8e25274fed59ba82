"""
A local stand-in for the services of AWS that Ceph does not have: metadata of machines (IMDSv2) and containers, and Secrets
Manager; and for the token service. Requests to the last two are signed once more by botocore and compared.
"""

import hashlib
import http.server
import json
import threading
import urllib.parse

TOKEN = "token-of-the-machine"
KEY_ID, SECRET = "AKVAULT", "SKVAULT"  # of Secrets Manager and the token service


class Aws:
    """
    keys: what metadata gives, as botocore's assume_role spells it. secrets: texts by name. trouble: how the next requests to
    Secrets Manager end: pairs of status and error.
    """

    def __init__(self, keys=None, secrets=None):
        self.keys, self.secrets = keys or [], secrets or {}
        self.asked, self.complaints, self.trouble, self.roles = [], [], [], []
        self.lock = threading.Lock()
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with stand_in.lock:
                    stand_in.asked.append(f"{self.command} {self.path}")
                    status, answer = stand_in.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_PUT = do_POST = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, headers, body):
        if path.startswith("/latest/"):
            return self.of_machine(method, path, headers)
        if path.startswith("/v2/credentials/"):
            allowed = headers.get("Authorization") == TOKEN
            return (200, self.next_keys()) if allowed else (403, b"")
        if method == "POST" and path == "/":
            return self.of_sts(headers, body) if "X-Amz-Target" not in headers else self.of_secrets(headers, body)
        return 404, b""

    def next_keys(self):
        """The first of the keys, which stay when they are the last."""
        keys = self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]
        return json.dumps({"Code": "Success", "AccessKeyId": keys["AccessKeyId"], "SecretAccessKey": keys["SecretAccessKey"],
                           "Token": keys["SessionToken"], "Expiration": keys["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")}).encode()

    def of_machine(self, method, path, headers):
        if method == "PUT" and path == "/latest/api/token":
            return (200, TOKEN.encode()) if headers.get("X-aws-ec2-metadata-token-ttl-seconds", "").isdigit() else (400, b"")
        if headers.get("X-aws-ec2-metadata-token") != TOKEN:
            return 401, b""
        roles = "/latest/meta-data/iam/security-credentials/"
        return (200, b"lake-reader") if path == roles else (200, self.next_keys()) if path == roles + "lake-reader" else (404, b"")

    def of_sts(self, headers, body):
        """What was asked of the token service is in `roles`; the keys are ours."""
        self.complaints += self.complaints_about(headers, body, "sts")
        self.roles.append(dict(urllib.parse.parse_qsl(body.decode())))
        keys = json.loads(self.next_keys())
        return 200, ("<AssumeRoleResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><AssumeRoleResult><Credentials>"
                     f"<AccessKeyId>{keys['AccessKeyId']}</AccessKeyId><SecretAccessKey>{keys['SecretAccessKey']}</SecretAccessKey>"
                     f"<SessionToken>{keys['Token']}</SessionToken><Expiration>{keys['Expiration']}</Expiration>"
                     "</Credentials></AssumeRoleResult></AssumeRoleResponse>").encode()

    def of_secrets(self, headers, body):
        self.complaints += self.complaints_about(headers, body, "secretsmanager")
        if headers.get("Content-Type") != "application/x-amz-json-1.1" or headers["X-Amz-Target"] != "secretsmanager.GetSecretValue":
            self.complaints.append("that is no GetSecretValue")
        if self.trouble:
            status, error = self.trouble.pop(0)
            return status, json.dumps({"__type": error, "message": "made up"}).encode()
        text = self.secrets.get(json.loads(body)["SecretId"])
        if text is None:
            return 400, json.dumps({"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find it."}).encode()
        return 200, json.dumps({"Name": "x", "VersionStages": ["AWSCURRENT"], "SecretString": text}).encode()

    def complaints_about(self, headers, body, own_service):
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        sent = {name.lower(): value for name, value in headers.items()}
        parts = dict(part.strip().partition("=")[::2] for part in sent.get("authorization", "").partition(" ")[2].split(","))
        signed = parts["SignedHeaders"].split(";")
        access, _, region, service, _ = parts["Credential"].split("/")
        wrong = [f"{name} is not signed" for name in sent if (name == "host" or name.startswith("x-amz-")) and name not in signed]
        if (access, region, service) != (KEY_ID, "eu-west-1", own_service):
            wrong.append(f"the scope is {parts['Credential']}")
        request = AWSRequest(method="POST", url=self.endpoint + "/", data=body, headers={name: sent[name] for name in signed})
        request.context["timestamp"] = sent["x-amz-date"]
        auth = SigV4Auth(Credentials(access, SECRET), service, region)
        if auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request) != parts["Signature"]:
            wrong.append("the signature is not botocore's")
        if "x-amz-content-sha256" in sent and sent["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            wrong.append("x-amz-content-sha256 is not that of the body")
        return wrong
