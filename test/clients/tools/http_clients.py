# A tool with Python's requests and urllib: no option speaks of a proxy or a CA.
import sys
import urllib.request

import requests

url = sys.argv[1]
with requests.Session() as session:
    answer = session.post(url + "/anything", json={"order": 42})
    print(answer.status_code, answer.text)
    with session.get(url + "/v1/stream", stream=True) as stream:
        print("events", sum(1 for line in stream.iter_lines() if line.startswith(b"data:")))
    print(session.get(url + "/v1/payroll").status_code, session.get(url + "/v1/payroll").json()["error"]["reason"])
with urllib.request.urlopen(url + "/anything") as answer:
    print(answer.status, answer.read().decode())
