"""What happens in a simulated world, and what must hold in the end. The engines are not here."""
