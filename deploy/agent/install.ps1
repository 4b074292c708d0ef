# Installs brama-agent for everybody on this computer. Run as administrator, from the folder with the two programs:
#   powershell -ExecutionPolicy Bypass -File install.ps1 -Origins https://id.example.gov.ua
# It installs no certificate and opens no port to the network.
[CmdletBinding()]
param([string[]]$Origins = @(), [string[]]$Modules = @())
$ErrorActionPreference = 'Stop'

$programs = Join-Path $env:ProgramFiles 'brama-agent'
New-Item -ItemType Directory -Force $programs | Out-Null
Copy-Item (Join-Path $PSScriptRoot 'brama-agent.exe'), (Join-Path $PSScriptRoot 'brama-agent32.exe') $programs -Force

# A folder under ProgramData lets everybody add files unless its rights are set: only administrators may change this one.
$data = Join-Path ([Environment]::GetFolderPath('CommonApplicationData')) 'brama-agent'
New-Item -ItemType Directory -Force $data | Out-Null
& icacls $data /setowner '*S-1-5-32-544' | Out-Null
& icacls $data /inheritance:r /grant:r '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-545:(OI)(CI)RX' | Out-Null

$config = Join-Path $data 'agent.yaml'
if (-not (Test-Path $config)) {
  Copy-Item (Join-Path $PSScriptRoot 'agent.yaml') $config
}
if ($Origins.Count -gt 0 -or $Modules.Count -gt 0) {
  $text = "origins:`n" + (($Origins | ForEach-Object { "  - $_`n" }) -join '')
  if ($Modules.Count -gt 0) { $text += "modules:`n" + (($Modules | ForEach-Object { "  - '$_'`n" }) -join '') }
  [IO.File]::WriteAllText($config, $text)
}
& icacls $config /setowner '*S-1-5-32-544' | Out-Null
& icacls $config /reset | Out-Null

# Starts with each person's session.
$run = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Run'
Set-ItemProperty $run 'brama-agent' ('"' + (Join-Path $programs 'brama-agent.exe') + '"')
