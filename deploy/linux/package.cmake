# What is installed on Linux, and the Debian package of it, which deploy/linux/build_deb makes.

# As Debian wants it of daemons.
target_link_options(echo_exporter PRIVATE -Wl,-z,relro,-z,now)

install(TARGETS echo_exporter RUNTIME DESTINATION bin)
install(FILES deploy/echo_exporter.toml DESTINATION /etc/echo_exporter)
install(FILES deploy/linux/echo_exporter.default DESTINATION /etc/default RENAME echo_exporter)
install(FILES deploy/linux/echo_exporter.service DESTINATION /lib/systemd/system)
install(FILES deploy/linux/echo_exporter.bash
  DESTINATION share/bash-completion/completions
  RENAME echo_exporter)
install(FILES config/echo_exporter.toml DESTINATION share/doc/echo-exporter/examples)
install(FILES docs/dashboard.md docs/discovery.md docs/http-api.md docs/migrating.md
  docs/operations.md docs/performance.md docs/prometheus.md
  DESTINATION share/doc/echo-exporter)
# The manual, the changelog and the licences, from build_deb.
install(DIRECTORY ${PROJECT_BINARY_DIR}/debian/ DESTINATION share OPTIONAL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME echo-exporter)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "echo_exporter maintainers <echo_exporter@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_STRIP_FILES ON)
# Some paths are absolute.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Measures packet loss and round-trip time with ICMP echo requests:
continuously, for every configured pair of a source address and a
destination, and on demand, like the blackbox_exporter. Every request
has exactly one outcome.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/linux/debian/conffiles
  ${PROJECT_SOURCE_DIR}/deploy/linux/debian/postinst
  ${PROJECT_SOURCE_DIR}/deploy/linux/debian/postrm
  ${PROJECT_SOURCE_DIR}/deploy/linux/debian/prerm)
include(CPack)
