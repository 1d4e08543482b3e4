#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "echo_exporter/exporter.h"
#include "src/app/command_line.h"
#include "src/app/ping_command.h"
#include "src/app/process_events.h"
#include "src/base/log.h"

namespace echo_exporter {
namespace {

int RunDaemon(const DaemonOptions& options, Exporter::Environment environment,
              ProcessEvents& events) {
  ConfigOutcome loaded = LoadConfig(options.config_file);
  for (const std::string& error : loaded.errors) {
    std::cerr << "error: " << error << "\n";
  }
  if (!loaded.config) return kExitUsage;
  if (options.check_only) {
    for (const std::string& warning : loaded.config->warnings) {
      std::cerr << "warning: " << warning << "\n";
    }
    std::cout << options.config_file << ": good, "
              << loaded.config->groups.size() << " groups, "
              << loaded.config->pairs.size() << " pairs\n";
    return kExitSuccess;
  }

  ConfigureLog(options.log_level, options.log_format);
  for (const std::string& warning : loaded.config->warnings) {
    Log(LogLevel::kWarn, "configuration", {{"warning", warning}});
  }
  if (!options.listen_addresses.empty()) {
    loaded.config->listen_addresses = options.listen_addresses;
  }
  auto exporter = Exporter::Create(*loaded.config, std::move(environment));
  if (!exporter.ok()) {
    Log(LogLevel::kError, "cannot start",
        {{"error", exporter.error().message}});
    FlushLog();
    return kExitFailure;
  }
  exporter.value()->Start();
  for (const std::string& url : exporter.value()->Urls()) {
    Log(LogLevel::kInfo, "serving", {{"url", url}});
  }
  while (events.WaitFor(std::nullopt) != ProcessEvents::Event::kStop) {
  }
  exporter.value()->Stop();
  FlushLog();
  return kExitSuccess;
}

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
  const auto events = ProcessEvents::Create(/*reload=*/true);
  return RunDaemon(std::get<DaemonOptions>(command), environment, *events);
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
