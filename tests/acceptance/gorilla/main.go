// What gorilla/websocket makes of how a WebSocket ends: it connects to the address that it is
// given, prints "open", reads until the end, and prints the error that its user gets to see.
package main

import (
	"crypto/tls"
	"fmt"
	"os"

	"github.com/gorilla/websocket"
)

func main() {
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	connection, _, err := dialer.Dial(os.Args[1], nil)
	if err != nil {
		fmt.Println("dial:", err)
		os.Exit(1)
	}
	fmt.Println("open")
	for {
		if _, _, err = connection.ReadMessage(); err != nil {
			break
		}
	}
	if closed, ok := err.(*websocket.CloseError); ok {
		fmt.Println("closed", closed.Code)
	} else {
		fmt.Println("error", err)
	}
}
