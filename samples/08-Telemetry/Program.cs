// What Vmm tells of itself, through OpenTelemetry to the console: spans of a machine's life, then the instruments.
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Vmm;
using Vmm.Machines;

using TracerProvider traces = Sdk.CreateTracerProviderBuilder().AddSource(VmmTelemetry.ActivitySourceName).AddConsoleExporter().Build();
MeterProvider metrics = Sdk.CreateMeterProviderBuilder().AddMeter(VmmTelemetry.MeterName).AddConsoleExporter().Build();

// Real mode: write ten characters to the serial port, then switch the power off (sleep type 0 at port 0x604).
List<byte> code = [0xBA, 0xF8, 0x03];                                // mov dx, 0x3F8
foreach (char character in "ten exits\n")
    code.AddRange([0xB0, (byte)character, 0xEE]);                    // mov al, character; out dx, al
code.AddRange([0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF, 0xF4]);     // mov dx, 0x604; mov ax, 0x2000; out dx, ax; hlt

using (Machine machine = new(Hypervisors.Emulator(), new MachineOptions { Image = new FlatImage(code.ToArray(), 0x1000), MemorySize = 1 << 20 }))
{
    MachineOutcome outcome = machine.Run();
    Console.WriteLine($"The machine {outcome}.");
    metrics.Dispose(); // exports, while the machine is still there
}
