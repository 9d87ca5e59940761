// A tool with Go's net/http: no option speaks of a proxy or a CA.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	url := os.Args[1]
	answer, err := http.Post(url+"/anything", "application/json", strings.NewReader(`{"order":42}`))
	must(err)
	body, err := io.ReadAll(answer.Body)
	must(err)
	fmt.Println(answer.StatusCode, answer.Proto, string(body))
	stream, err := http.Get(url + "/v1/stream")
	must(err)
	events := 0
	for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data:") {
			events++
		}
	}
	fmt.Println("events", events)
	trailers, err := http.Get(url + "/v1/trailers")
	must(err)
	_, err = io.ReadAll(trailers.Body)
	must(err)
	fmt.Println("trailer", trailers.Trailer.Get("X-Checksum"))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
