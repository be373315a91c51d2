package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// server answers HTTP/1.1, HTTP/2 and HTTP/3 on one address and port; which of them is spoken is the client's choice.
type server struct {
	handler *handler
	tcp     *http.Server
	udp     *http3.Server
	packets net.PacketConn
}

// startServer listens inside ns.
func startServer(ns *namespace, cert tls.Certificate) (*server, error) {
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	quiet := log.New(io.Discard, "", 0) // browsers break connections off; that is no news
	s := &server{handler: newHandler()}
	s.tcp = &http.Server{Handler: s.handler, TLSConfig: conf, ErrorLog: quiet, IdleTimeout: 10 * time.Minute}
	s.udp = &http3.Server{Handler: s.handler, TLSConfig: http3.ConfigureTLSConfig(conf.Clone())}
	addr := net.JoinHostPort(serverAddr, "443")
	var listener net.Listener
	err := ns.do(func() (err error) {
		if listener, err = net.Listen("tcp4", addr); err != nil {
			return err
		}
		if s.packets, err = net.ListenPacket("udp4", addr); err != nil {
			listener.Close()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	go s.tcp.ServeTLS(listener, "", "")
	go s.udp.Serve(s.packets)
	return s, nil
}

func (s *server) close() error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.tcp.Shutdown(ctx); err != nil {
		s.tcp.Close()
	}
	return errors.Join(s.udp.Close(), s.packets.Close())
}
