"""How the service is run at an authority: units, proxy, containers, locked dependencies and their list."""
