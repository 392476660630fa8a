"""Runs the deployment of ``template.yaml`` on one machine, and the command line."""
