package window

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// System returns windows drawn by the system's own PowerShell, from its own folder.
func System() (Asker, error) {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return powershell(filepath.Join(dir, "WindowsPowerShell", "v1.0", "powershell.exe")), nil
}

type powershell string

// script reads the dialog as base64 of JSON from standard input, so that no text is ever part of a command, and answers in
// the same way.
const script = `
$ErrorActionPreference = 'Stop'
Add-Type -AssemblyName System.Windows.Forms, System.Drawing
$d = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadLine())) | ConvertFrom-Json
$f = New-Object Windows.Forms.Form -Property @{ Text = $d.title; AutoSize = $true; AutoSizeMode = 'GrowAndShrink'; StartPosition = 'CenterScreen'; TopMost = $true; MinimizeBox = $false; MaximizeBox = $false; FormBorderStyle = 'FixedDialog'; Padding = 12 }
$p = New-Object Windows.Forms.FlowLayoutPanel -Property @{ FlowDirection = 'TopDown'; AutoSize = $true; WrapContents = $false }
foreach ($l in $d.lines) { $p.Controls.Add((New-Object Windows.Forms.Label -Property @{ Text = $l; UseMnemonic = $false; AutoSize = $true; MaximumSize = (New-Object Drawing.Size(520, 0)); Margin = 6 })) }
$e = $null
if ($d.kind -eq 'pin' -or $d.kind -eq 'text') { $e = New-Object Windows.Forms.TextBox -Property @{ Width = 320; UseSystemPasswordChar = ($d.kind -eq 'pin'); MaxLength = 200 }; $p.Controls.Add($e) }
if ($d.kind -eq 'choose') { $e = New-Object Windows.Forms.ListBox -Property @{ Width = 520; Height = 160; HorizontalScrollbar = $true }; foreach ($c in $d.choices) { [void]$e.Items.Add($c) }; $e.SelectedIndex = 0; $p.Controls.Add($e) }
$b = New-Object Windows.Forms.FlowLayoutPanel -Property @{ AutoSize = $true }
$o = New-Object Windows.Forms.Button -Property @{ Text = $d.ok; DialogResult = 'OK'; AutoSize = $true }
$b.Controls.Add($o)
if ($d.cancel -and $d.kind -ne 'notice') { $c = New-Object Windows.Forms.Button -Property @{ Text = $d.cancel; DialogResult = 'Cancel'; AutoSize = $true }; $b.Controls.Add($c); $f.CancelButton = $c }
$p.Controls.Add($b); $f.Controls.Add($p); if ($e) { $f.AcceptButton = $o; $f.ActiveControl = $e }
$r = $f.ShowDialog()
$a = @{ ok = ($r -eq 'OK'); value = ''; choice = 0 }
if ($d.kind -eq 'pin' -or $d.kind -eq 'text') { $a.value = $e.Text }
if ($d.kind -eq 'choose') { $a.choice = $e.SelectedIndex }
[Console]::Out.Write([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes(($a | ConvertTo-Json -Compress))))
`

func (p powershell) Ask(ctx context.Context, d Dialog) (Answer, error) {
	in, err := json.Marshal(d)
	if err != nil {
		return Answer{}, err
	}
	line := base64.StdEncoding.EncodeToString(in) + "\n"
	out, err := run(ctx, bytes.NewReader([]byte(line)), string(p), "-NoProfile", "-NonInteractive", "-STA", "-EncodedCommand", encoded(script))
	if err != nil {
		return Answer{}, err
	}
	defer clear(out)
	answer, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(out)))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: PowerShell did not answer", ErrUnavailable)
	}
	defer clear(answer)
	var a struct {
		OK     bool
		Value  string
		Choice int
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return Answer{}, fmt.Errorf("%w: PowerShell did not answer", ErrUnavailable)
	}
	if !a.OK {
		return Answer{}, ErrCancelled
	}
	return d.answer([]byte(a.Value), a.Choice)
}

// encoded is the form that -EncodedCommand takes: base64 of UTF-16, little-endian.
func encoded(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func hide(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
}
