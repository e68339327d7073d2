using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vmm;

/* here */
