"""The particle model: force, conservation, streams of random numbers, equilibrium, limits of the conductance."""

from __future__ import annotations

import numpy as np
import pytest

from synspice.compact.errors import ParameterError
from synspice.compact.particles import ParticleParameters, pulses, simulate_particles
from synspice.compact.stimulus import Waveform

REST = Waveform((0.0, 1.0), (0.0, 0.0))
DRIVEN = Waveform((0.0, 0.01, 0.2), (0.0, 3.0, 3.0))


def test_the_force_is_the_slope_of_the_potential():
    p = ParticleParameters()

    def potential(x):
        wells = np.exp(-(((x + p.x_well) / p.r_well) ** 2)) + np.exp(-(((x - p.x_well) / p.r_well) ** 2))
        return -p.w_interface * wells + np.sin(2 * np.pi * x / p.r_pin) / 2

    x, h = np.linspace(-0.99, 0.99, 101), 1e-6
    slope = (potential(x + h) - potential(x - h)) / (2 * h)
    np.testing.assert_allclose(p.force(x), -slope, rtol=1e-6, atol=1e-6)


def test_particles_stay_between_the_terminals_and_in_order():
    found = simulate_particles(DRIVEN, np.linspace(0, 0.2, 11), realisations=3)
    assert found.positions.shape == (3, 11, 40)
    assert np.all(np.abs(found.positions) <= 1)
    assert np.all(np.diff(found.positions, axis=2) >= 0)
    assert np.all((found.conductance > 0) & (found.conductance <= 1))
    assert np.all(found.temperature >= 0.45 - 1e-12)


def test_equal_spacing_conducts_best():
    p = ParticleParameters()
    x = np.linspace(-1, 1, p.particles + 2)[1:-1]
    gaps = np.diff([-1, *x, 1])
    largest = p.particles * np.exp(2 / (p.particles * p.tunnelling)) / np.exp(gaps / p.tunnelling).sum()
    assert largest == pytest.approx(1, abs=0.03)


def test_a_realisation_has_its_own_stream():
    few = simulate_particles(DRIVEN, [0.1], realisations=2, seed=4, workers=1)
    many = simulate_particles(DRIVEN, [0.1], realisations=4, seed=4, workers=2)
    np.testing.assert_array_equal(many.positions[:2], few.positions)
    other = simulate_particles(DRIVEN, [0.1], realisations=2, seed=5)
    assert not np.array_equal(other.positions, few.positions)
    assert not np.array_equal(few.positions[0], few.positions[1])


def test_without_voltage_the_clusters_stay():
    found = simulate_particles(REST, [0.0, 1.0], realisations=5)
    assert np.all(found.conductance[:, 1] < 0.02)
    np.testing.assert_array_equal(found.temperature, 0.45)
    assert abs((found.positions[:, 1] < 0).mean() - 0.5) < 0.1


def test_the_field_pumps_to_one_terminal():
    found = simulate_particles(Waveform((0.0, 0.01, 2.0), (0.0, 6.0, 6.0)), [2.0], realisations=4)
    assert (found.positions > 0).mean() > 0.8


def test_heat_follows_the_power():
    still = ParticleParameters(heating=0.0)
    found = simulate_particles(DRIVEN, [0.2], realisations=2, parameters=still)
    np.testing.assert_array_equal(found.temperature, 0.45)
    assert np.all(simulate_particles(DRIVEN, [0.2], realisations=2).temperature > 0.45)


def test_free_diffusion_spreads_by_einsteins_relation():
    free = ParticleParameters(particles=2000, w_interface=1e-12, r_pin=1e9, temperature=0.01, heating=0.0, x_well=1e-3)
    time = 0.5
    found = simulate_particles(REST, [0.0, time], realisations=1, parameters=free)
    spread = found.positions[0].var(axis=1)
    assert spread[1] - spread[0] == pytest.approx(2 * 0.01 / free.friction * time, rel=0.1)


def test_pulses_end_where_they_say():
    waveform, ends = pulses(2.0, 0.01, 0.04, 3)
    np.testing.assert_allclose(ends, [0.01, 0.06, 0.11])
    np.testing.assert_allclose(waveform(ends), 2.0)
    np.testing.assert_allclose(waveform(ends + 0.02), 0.0)


def test_what_is_refused():
    with pytest.raises(ParameterError, match="temperature"):
        ParticleParameters(temperature=0.0)
    with pytest.raises(ParameterError, match="left_share"):
        ParticleParameters(left_share=2.0)
    with pytest.raises(ParameterError, match="rise"):
        simulate_particles(REST, [1.0, 0.0])


@pytest.mark.slow
def test_the_time_step_is_fine_enough():
    sampled = [0.1, 0.2]
    wave = Waveform((0.0, 1e-3, 0.2), (0.0, 4.5, 4.5))
    coarse, fine = (
        simulate_particles(wave, sampled, realisations=40, parameters=ParticleParameters(step=s)) for s in (1e-4, 1e-5)
    )
    error = np.hypot(*(c.conductance.std(axis=0, ddof=1) / np.sqrt(40) for c in (coarse, fine)))
    assert np.all(np.abs(coarse.conductance.mean(axis=0) - fine.conductance.mean(axis=0)) < 3 * error)
