namespace Vmm.Devices.Tests;

/// <summary>A driver does not notice that its device was saved and restored in another machine.</summary>
public sealed class VirtioStateTests : VirtioTestBase
{
    private const ulong Data = 0x11_0000;

    private VirtioEntropy NewSource() => Own(new VirtioEntropy(Ram.Device, Clock, destination => destination.Fill(0x5A)));

    private static void Move(ISaveableDevice from, ISaveableDevice to) =>
        DeviceStateExchange.Load(DeviceStateExchange.Save("device", from, 0), to, 0);

    [Fact]
    public void Pci_device_goes_on_with_its_windows_rings_and_messages()
    {
        VirtioEntropy first = NewSource();
        VirtioEntropy second = NewSource();
        PciDriver driver = new(Ram, first, hasMessages: true);
        driver.Bus.WriteConfiguration(1, 0, driver.MsixCapability + 2, 2, 0x8000);
        driver.Start(TestDriver.Version1 | TestDriver.EventIndex);
        driver.SetVector(0, 1);
        driver.SetMessage(1, 0xFEE0_0000, 0x41, isMasked: true);
        driver.Submit(0, (Data, 4, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().NotBeNull();
        driver.PendingMessages().Should().Be(2);

        PciDriver other = new(Ram, second, hasMessages: true);
        other.Bus.WriteConfiguration(1, 0, 4, 2, 0);
        other.Mmio.Ranges.Should().BeEmpty();
        Move(driver.Bus, other.Bus);
        Move(first, second);
        other.GoOnFrom(driver);
        other.Mmio.Ranges.Should().HaveCount(2);
        other.Status.Should().Be(15);
        other.PendingMessages().Should().Be(2);
        other.SetMessage(1, 0xFEE0_0000, 0x41, isMasked: false);
        other.Messages.Should().ContainSingle().Which.Vector.Should().Be(0x41);
        other.Submit(0, (Data, 4, true));
        other.Notify(0);
        other.TakeUsed(0).Should().NotBeNull();
        Ram.Read16(TestDriver.Used(0) + 2).Should().Be(2, "the ring goes on");
    }

    [Fact]
    public void Memory_mapped_device_goes_on_with_work_that_was_left_over()
    {
        VirtioBlock first = NewDisk(isReadOnly: true);
        VirtioBlock second = NewDisk(isReadOnly: true);
        MmioDriver driver = new(Ram, first);
        driver.Start(TestDriver.Version1);
        Ram.Write32(Data, 4);
        driver.Describe(0, 0, Data, 16, 1, 1);
        driver.Describe(0, 1, Data + 0x100, 1, 2, 0);
        for (int request = 0; request < 12; request++)
            driver.MakeAvailable(0, 0);
        driver.Notify(0);
        ushort served = Ram.Read16(TestDriver.Used(0) + 2);
        served.Should().BeInRange(1, 11);

        MmioDriver other = new(Ram, second);
        Move(first, second);
        first.Dispose();
        other.GoOnFrom(driver);
        Clock.Advance(1);
        Ram.Read16(TestDriver.Used(0) + 2).Should().Be(12);
        other.InterruptPending.Should().BeTrue();
    }

    [Fact]
    public void State_of_another_disk_is_refused()
    {
        Action moving = () => Move(NewDisk(isReadOnly: true), Own(new VirtioEntropy(Ram.Device, Clock)));
        moving.Should().Throw<SavedStateException>();
        DeviceState state = DeviceStateExchange.Save("disk", NewDisk(isReadOnly: true), 0);
        File.WriteAllBytes(DiskPath, new byte[512]);
        Action loading = () => DeviceStateExchange.Load(state, NewDisk(isReadOnly: true), 0);
        loading.Should().Throw<SavedStateException>().WithMessage("*length*");
    }

    [Fact]
    public void Hostile_state_is_refused_or_harmless()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        VirtioEntropy source = NewSource();
        MmioDriver original = new(Ram, source);
        original.Start(TestDriver.Version1);
        DeviceState state = DeviceStateExchange.Save("device", source, 0);
        for (int round = 0; round < 2000; round++)
        {
            VirtioEntropy target = new(Ram.Device, Clock, destination => destination.Fill(0x5A));
            MmioDriver driver = new(Ram, target);
            KeyValuePair<string, ReadOnlyMemory<byte>>[] values = [.. state.Values];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                int index = random.Next(values.Length);
                byte[] value = values[index].Value.ToArray();
                random.NextBytes(value);
                values[index] = new(values[index].Key, value);
            }
            try
            {
                DeviceStateExchange.Load(new DeviceState("device", state.Kind, state.Version, [.. values]), target, 0);
                driver.Notify(0);
                Clock.Advance(1);
            }
            catch (SavedStateException)
            {
                // Refused with its reason.
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}", e);
            }
            target.Dispose();
        }
    }
}
