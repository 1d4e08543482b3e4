#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>

#include "echo_exporter/exporter.h"
#include "src/app/command_line.h"
#include "src/app/daemon_command.h"
#include "src/app/password_command.h"
#include "src/app/ping_command.h"
#include "src/base/console.h"
#include "src/service/process_events.h"
#include "src/service/service.h"
#include "src/service/service_command.h"

namespace echo_exporter {
namespace {

int EndAtOnce(const ImmediateExit& exit) {
  if (exit.code == kExitSuccess) {
    std::cout << exit.text;
    return exit.code;
  }
  // The service manager expects a report even from a service whose command line
  // is invalid.
  return RunUnderServiceManager([&](ProcessEvents&, ServiceStatus& status) {
    return RefuseToStart(exit, status);
  });
}

int Main(int argc, char** argv) {
  Utf8Console console;
  const CommandLine command = ParseCommandLine(argc, argv);
  if (const auto* const exit = std::get_if<ImmediateExit>(&command)) {
    return EndAtOnce(*exit);
  }
  if (const auto* const service = std::get_if<ServiceOptions>(&command)) {
    return RunServiceCommand(*service, std::cout, std::cerr);
  }
  if (const auto* const password = std::get_if<PasswordOptions>(&command)) {
    return RunPassword(*password, std::cout, std::cerr);
  }
  const std::unique_ptr<AddressLookup> lookup = CreateAddressLookup();
  const Exporter::Environment environment{
      .create_transport = &CreateEchoTransport, .lookup = lookup.get()};
  if (const auto* const ping = std::get_if<PingOptions>(&command)) {
    const auto events = ProcessEvents::Create(/*reload=*/false);
    return RunPing(*ping, environment, *events, std::cout, std::cerr);
  }
  const int code =
      RunUnderServiceManager([&](ProcessEvents& events, ServiceStatus& status) {
        return RunDaemon(std::get<DaemonOptions>(command), environment, events,
                         status);
      });
  // Not by returning, see RunDaemon(); so this must be done here.
  std::cout.flush();
  console.Restore();
  std::_Exit(code);
}

}  // namespace
}  // namespace echo_exporter

int main(int argc, char** argv) {
  echo_exporter::IgnoreBrokenPipes();
  try {
    return echo_exporter::Main(argc, argv);
  } catch (const std::exception& error) {
    // The system ran out of memory, threads or handles at the start.
    std::cerr << "echo_exporter: " << error.what() << "\n";
    return echo_exporter::kExitFailure;
  }
}
