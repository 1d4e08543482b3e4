#ifndef ECHO_EXPORTER_SRC_HTTP_TLS_CHANNEL_H_
#define ECHO_EXPORTER_SRC_HTTP_TLS_CHANNEL_H_

#include <memory>
#include <string>

#include "src/http/tls_context.h"

namespace echo_exporter {

/// Bytes encrypted by TLS, on the server's side.
///
/// Confined to one thread.
class TlsChannel final : public Channel {
 public:
  /// `ssl` was created from `context`, and has its socket.
  TlsChannel(std::shared_ptr<const TlsContext> context, OpensslPtr<SSL> ssl);

  Step Open() override;
  Step Read(char* data, std::size_t size) override;
  Step Write(const char* data, std::size_t size) override;
  Step Close() override;
  std::string failure() const override { return failure_; }
  std::string plain_http_error() const override;

 private:
  Step Classify(int result, std::size_t bytes);

  const std::shared_ptr<const TlsContext> context_;
  const OpensslPtr<SSL> ssl_;
  bool opened_ = false;
  bool failed_ = false;  ///< `ssl_` must not be used any more
  bool plain_http_ = false;
  std::string failure_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_TLS_CHANNEL_H_
