# Completion of echo_exporter for bash.

_echo_exporter() {
  local word=${COMP_WORDS[COMP_CWORD]} option='' i
  # bash splits --option=value into three words.
  if [[ $word == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 1]} word=
  elif ((COMP_CWORD >= 2)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  else
    option=${COMP_WORDS[COMP_CWORD - 1]}
  fi

  local command=''
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      ping | password | service) command=${COMP_WORDS[i]} ;;
    esac
  done

  COMPREPLY=()
  case $option in
    --config.file | --web.config.file | --log.file)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --log.level) mapfile -t COMPREPLY < <(compgen -W 'debug info warn error' -- "$word"); return ;;
    --log.format) mapfile -t COMPREPLY < <(compgen -W 'logfmt json' -- "$word"); return ;;
    --target | --config.auto-reload-interval | --web.listen-address | --web.external-url | \
      --web.route-prefix | --timeout-offset | --log.file.max-size | --log.file.keep | \
      --cost | --count | --interval | --timeout | --size | --ttl | -c | -i | -W | -s | -t)
      return
      ;;
    --source | -I)
      mapfile -t COMPREPLY < <(compgen -W "auto $(ls /sys/class/net 2>/dev/null)" -- "$word")
      return
      ;;
  esac

  local words
  case $command in
    ping)
      words='-c --count -i --interval -W --timeout -s --size -t --ttl -I --source -4 -6 -n --help'
      ;;
    password) words='--cost --help' ;;
    service) words='install uninstall start stop reload status configure --help' ;;
    *)
      words='--config.file --target --config.check --config.enable-auto-reload
        --config.auto-reload-interval --web.config.file --web.listen-address
        --web.external-url --web.route-prefix --timeout-offset --log.level
        --log.format --log.file --log.file.max-size --log.file.keep --version --help ping password service'
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _echo_exporter echo_exporter
