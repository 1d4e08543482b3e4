-- What wixl 0.101 has no words for, as statements on the finished package: one a line, "--" begins
-- a comment.

-- The configuration is neither overwritten (128) nor ever removed (16); 256: 64-bit.
UPDATE Component SET Attributes = 400 WHERE Component = 'Configuration'

-- Public properties get through to the elevated half of an installation only by name.
UPDATE Property SET Value = 'NEWER;OLDER;INSTALLDIR;CONFIG_FILE;LISTEN_PORT;EXTRA_FLAGS;FIREWALL' WHERE Property = 'SecureCustomProperties'

-- Defaults, and what follows from the settings. Folders have their values from 1000 on.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('DefaultConfigFile', 51, 'CONFIG_FILE', '[CONFIGDIR]echo_exporter.toml')
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('SetListenFlag', 51, 'LISTEN_FLAG', '--web.listen-address=:[LISTEN_PORT]')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('DefaultConfigFile', 'NOT CONFIG_FILE', 1001)
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('SetListenFlag', 'LISTEN_PORT', 1002)

-- Recovery, delayed start and the rest of what the service needs, between its installation (5800)
-- and its start (5900). 3090: runs an installed file, deferred, as the system.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('ConfigureService', 3090, 'ProgramFile', 'service configure')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('ConfigureService', '$Program = 3', 5801)

-- Before StopServices (1900), which does not wait until the process has ended and its file can be
-- removed. 3154: like 3090, whatever its exit code is.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('StopService', 3154, 'ProgramFile', 'service stop')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('StopService', '?Program = 3', 1899)

-- The firewall rule: for the program, so for any port. 3106: runs a command, deferred, as the system;
-- with 64 whatever its exit code is; with 256 when the installation is rolled back. Any rule of before
-- goes first: netsh would add a second one.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('RemoveFirewallRule', 3170, 'TARGETDIR', '"[System64Folder]netsh.exe" advfirewall firewall delete rule name="echo_exporter"')
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('RollBackFirewallRule', 3426, 'TARGETDIR', '"[System64Folder]netsh.exe" advfirewall firewall delete rule name="echo_exporter"')
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('AddFirewallRule', 3106, 'TARGETDIR', '"[System64Folder]netsh.exe" advfirewall firewall add rule name="echo_exporter" dir=in action=allow protocol=TCP program="[#ProgramFile]" enable=yes')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('RemoveFirewallRule', 'FIREWALL = "1"', 5802)
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('RollBackFirewallRule', 'FIREWALL = "1" AND $Program = 3', 5803)
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('AddFirewallRule', 'FIREWALL = "1" AND $Program = 3', 5804)
