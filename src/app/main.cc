#include <exception>
#include <iostream>
#include <memory>

#include "echo_exporter/exporter.h"
#include "src/app/command_line.h"
#include "src/app/daemon_command.h"
#include "src/app/ping_command.h"
#include "src/app/process_events.h"
#include "src/app/service.h"

namespace echo_exporter {
namespace {

int Main(int argc, char** argv) {
  const CommandLine command = ParseCommandLine(argc, argv);
  if (const auto* const exit = std::get_if<ImmediateExit>(&command)) {
    (exit->code == kExitSuccess ? std::cout : std::cerr) << exit->text;
    return exit->code;
  }
  const std::unique_ptr<AddressLookup> lookup = CreateAddressLookup();
  const Exporter::Environment environment{
      .create_transport = &CreateEchoTransport, .lookup = lookup.get()};
  if (const auto* const ping = std::get_if<PingOptions>(&command)) {
    const auto events = ProcessEvents::Create(/*reload=*/false);
    return RunPing(*ping, environment, *events, std::cout, std::cerr);
  }
  return RunUnderServiceManager(
      [&](ProcessEvents& events, ServiceStatus& status) {
        return RunDaemon(std::get<DaemonOptions>(command), environment, events,
                         status);
      });
}

}  // namespace
}  // namespace echo_exporter

int main(int argc, char** argv) {
  try {
    return echo_exporter::Main(argc, argv);
  } catch (const std::exception& error) {
    // Want of memory, threads or handles at start.
    std::cerr << "echo_exporter: " << error.what() << "\n";
    return echo_exporter::kExitFailure;
  }
}
