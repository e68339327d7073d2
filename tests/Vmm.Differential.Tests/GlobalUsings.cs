global using Vmm.Tests;
