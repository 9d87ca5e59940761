#!/bin/sh
# Makes the installation's keys where there are none yet, and gives each service those that it is trusted with and no other
# (docs/architecture.md, "Who holds which key"). An existing key is never replaced, so this may run as often as it likes.
set -eu

sallyport init -c /etc/sallyport/sallyport.yaml --name authn broker-1 broker-2 audit

# hand_out VOLUME KEY…
hand_out() {
  volume=$1
  shift
  install -d -o 10001 -g 10001 -m 0700 "/handout/$volume" "/handout/$volume/keys"
  for key in "$@"; do
    install -o 10001 -g 10001 -m 0600 "/var/lib/sallyport/keys/$key" "/handout/$volume/keys/$key"
  done
}

hand_out authn services-ca.crt checkpoint.pub authn.key authn.crt listener.key listener.crt agents-ca.key agents-ca.crt credential.jwk
hand_out pdp services-ca.crt pdp.key pdp.crt
hand_out broker-1 services-ca.crt checkpoint.pub broker.key broker.crt broker-group.key proxy-ca.key listener.key listener.crt agents-ca.crt
hand_out broker-2 services-ca.crt checkpoint.pub broker.key broker.crt broker-group.key proxy-ca.key listener.key listener.crt agents-ca.crt
hand_out audit services-ca.crt audit.key audit.crt listener.key listener.crt agents-ca.crt checkpoint.key
