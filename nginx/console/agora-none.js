// Stands where Agora's Web SDK would be on a host that has it (guide, "Installing").
