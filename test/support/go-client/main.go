// Sends a message by Go's net/smtp with PLAIN, as net/smtp's own SendMail does, to a server of a private authority.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
)

func main() {
	if len(os.Args) != 7 {
		fail("arguments: starttls|smtps HOST:PORT CA-FILE USER PASSWORD RECIPIENT, the message on the standard input")
	}
	channel, address, ca, user, password, recipient := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	host, _, err := net.SplitHostPort(address)
	check(err)
	pem, err := os.ReadFile(ca)
	check(err)
	message, err := io.ReadAll(os.Stdin)
	check(err)
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		fail("no certificate in " + ca)
	}
	config := &tls.Config{ServerName: host, RootCAs: authorities}

	var client *smtp.Client
	if channel == "smtps" {
		connection, err := tls.Dial("tcp", address, config)
		check(err)
		client, err = smtp.NewClient(connection, host)
		check(err)
	} else {
		client, err = smtp.Dial(address)
		check(err)
		check(client.StartTLS(config))
	}
	check(client.Auth(smtp.PlainAuth("", user, password, host)))
	check(client.Mail(user + "@example.com"))
	check(client.Rcpt(recipient))
	data, err := client.Data()
	check(err)
	_, err = data.Write(message)
	check(err)
	check(data.Close())
	check(client.Quit())
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
