# Installs {{name}} {{version}} for the current user. Written by wheelsmith.
#
#   powershell -ExecutionPolicy Bypass -File {{file}} [-To DIR] [-Url URL]
param(
    # Directory of the installation; its `bin` has the programs.
    [string] $To = "",
    # Directory of the archives, such as a mirror.
    [string] $Url = "{{url}}"
)

Set-StrictMode -Version 2
$ErrorActionPreference = "Stop"
$ProgressPreference = "SilentlyContinue"

# Everything is in a function, so that a script that was cut short runs nothing.
function Install-Package {
    $archives = @(
{{rows}}
    )
    $processor = switch ($env:PROCESSOR_ARCHITECTURE) {
        "ARM64" { "aarch64" }
        "AMD64" { "x86_64" }
        default { "i686" }
    }
    # A 32-bit PowerShell sees the other processor.
    if ($env:PROCESSOR_ARCHITEW6432 -eq "AMD64") { $processor = "x86_64" }
    if ($env:PROCESSOR_ARCHITEW6432 -eq "ARM64") { $processor = "aarch64" }
    $row = $archives | Where-Object { $_.Processor -eq $processor } | Select-Object -First 1
    if (-not $row -and $processor -eq "aarch64") {
        # Windows on Arm runs programs for x86_64.
        $row = $archives | Where-Object { $_.Processor -eq "x86_64" } | Select-Object -First 1
    }
    if (-not $row) { throw "{{name}}: there is no archive for $processor" }
    if (-not $To) { $To = Join-Path (Join-Path $env:LOCALAPPDATA "Programs") "{{name}}" }
    $parent = Split-Path -Parent $To
    if ($parent) { New-Item -ItemType Directory -Force -Path $parent | Out-Null }
    $work = "$To.new-$PID"
    $old = "$To.old-$PID"
    New-Item -ItemType Directory -Path $work | Out-Null
    try {
        $archive = Join-Path $work "archive.zip"
        Write-Output "{{name}}: downloading $($row.File)"
        [Net.ServicePointManager]::SecurityProtocol = `
            [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
        Invoke-WebRequest -UseBasicParsing -Uri "$Url/$($row.File)" -OutFile $archive
        $found = (Get-FileHash -Algorithm SHA256 -Path $archive).Hash
        if ($found -ne $row.Sha256) {
            throw "{{name}}: $($row.File) has the SHA-256 $found, not $($row.Sha256): nothing was installed"
        }
        Expand-Archive -Path $archive -DestinationPath $work
        $new = Join-Path $work $row.Top
        if (-not (Test-Path (Join-Path $new "bin"))) { throw "{{name}}: $($row.File) has no programs" }
        if (Test-Path $To) { Move-Item -Path $To -Destination $old }
        try {
            Move-Item -Path $new -Destination $To
        } catch {
            if (Test-Path $old) { Move-Item -Path $old -Destination $To }
            throw
        }
    } finally {
        Remove-Item -Recurse -Force -Path $work -ErrorAction SilentlyContinue
        if (Test-Path $old) { Remove-Item -Recurse -Force -Path $old -ErrorAction SilentlyContinue }
    }
    $bin = Join-Path $To "bin"
    Write-Output "{{name}}: installed {{version}} in $bin"
    if (-not (($env:PATH -split ";") -contains $bin)) { Write-Output "{{name}}: add $bin to PATH" }
}

Install-Package
