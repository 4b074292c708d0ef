//go:build linux

package peer

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test program a client that connects and waits, to be started as another user.
func TestMain(m *testing.M) {
	if addr := os.Getenv("PEER_TEST_DIAL"); addr != "" {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			os.Exit(1)
		}
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	os.Exit(m.Run())
}

// accept starts the client, as uid if that is not 0, and checks the connection it makes.
func accept(t *testing.T, network, address string, uid uint32) error {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("no %s here: %v", address, err)
	}
	defer func() { _ = l.Close() }()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"PEER_TEST_DIAL=" + l.Addr().String()}
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		cmd.Dir = "/"
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return Check(conn)
}

func TestSameUser(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		if err := accept(t, "tcp", address, 0); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestOtherUIDRefused: a program of another user of this computer gets nowhere (T57).
func TestOtherUIDRefused(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can start a program as another user; TestTable has the rest")
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		if err := accept(t, "tcp", address, 65534); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v, want ErrOther", address, err)
		}
	}
}

const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func TestTable(t *testing.T) {
	remote, local := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:24145")
	const (
		server = "   1: 0100007F:5E51 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 20 4 30 10 -1\n"
		client = "   2: 0100007F:9C40 0100007F:5E51 01 00000000:00000000 00:00000000 00000000  1001        0 1 1 0 20 4 30 10 -1\n"
		ended  = "   2: 0100007F:9C40 0100007F:5E51 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0\n"
		mapped = "   2: 0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000100007F:5E51 01 0:0 0:0 0  1002        0 1\n"
	)
	for _, c := range []struct {
		name, table string
		uid         int
		found, bad  bool
	}{
		{"client", server + client, 1001, true, false},
		{"server only", server, 0, false, false},
		{"ended", server + ended, 0, false, false},
		{"mapped", mapped, 1002, true, false},
		{"short line", server + "   2: 0100007F:9C40\n" + client, 0, false, true},
		{"bad address", strings.Replace(server, "0100007F:5E51", "x", 1) + client, 0, false, true},
		{"bad uid", strings.Replace(client, "1001", "x", 1), 0, false, true},
	} {
		uid, found, err := find(strings.NewReader(heading+c.table), remote, local)
		if uid != c.uid || found != c.found || (err != nil) != c.bad {
			t.Errorf("%s: %d, %v, %v", c.name, uid, found, err)
		}
	}
}

func TestNotLoopback(t *testing.T) {
	for _, pair := range [][2]string{{"192.0.2.1:1", "127.0.0.1:2"}, {"127.0.0.1:1", "192.0.2.1:2"}} {
		if err := Check(fakeConn{remote: pair[0], local: pair[1]}); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v: %v", pair, err)
		}
	}
}

type fakeConn struct {
	net.Conn
	remote, local string
}

func (c fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.remote))
}
func (c fakeConn) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.local))
}

func FuzzTable(f *testing.F) {
	if b, err := os.ReadFile("/proc/net/tcp"); err == nil {
		f.Add(b)
	}
	f.Add([]byte(heading + "   2: 0100007F:9C40 0100007F:5E51 01 0:0 0:0 0  1001        0 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := netip.MustParseAddrPort("127.0.0.1:40000")
		if _, found, err := find(strings.NewReader(string(b)), a, a); found && err != nil {
			t.Error("found, and an error")
		}
	})
}
