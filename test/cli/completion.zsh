# Types lines into an interactive zsh, a TAB after each, and writes what they have become: completion.zsh LOADING LINE...
zmodload zsh/zpty
loading=$1
shift
zpty shell zsh -f -i
zpty -w shell "autoload -Uz compinit; compinit -u -D; unsetopt beep; $loading; dump() { print -r -- \"\$BUFFER\" >> \$LINES_FILE; BUFFER=; }; zle -N dump; bindkey '^]' dump; print LOA\DED"
zpty -r shell seen '*LOADED*'
for line in "$@"; do zpty -w -n shell "$line"$'\t\x1d'; done
zpty -w shell 'print EN\DED'
zpty -r shell seen '*ENDED*'
zpty -d shell
